export {
  type AdvisoryLock,
  type CatalogueReader,
  type ChangePage,
  type ChangesAsked,
  lockNames,
} from "./catalogue-reader.ts";
export { type CatalogueQueries, type Page, type PageRequest, type RegisteredNode } from "./catalogue-queries.ts";
export {
  type CatalogueTransaction,
  type CatalogueWriter,
  type InstanceFilter,
  type PutOutcome,
  type Written,
} from "./catalogue-writer.ts";
export { openStore, type Store, type StoreOptions } from "./open-store.ts";
export { type Outbox, type PendingAnnouncement } from "./outbox.ts";
