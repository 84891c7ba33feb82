export { type AdvisoryLock, type CatalogueReader, type ChangePage } from "./catalogue-reader.ts";
export { openStore, type Store, type StoreOptions } from "./open-store.ts";
export { type CatalogueWriter, type CatalogueTransaction } from "./catalogue-writer.ts";
export { type PendingAnnouncement, type Outbox } from "./outbox.ts";
