export { type Bus, type BusMessage, type BusSubscription, type ConnectionState, type SubscribeOptions } from "./bus.ts";
export {
  type KeyValue,
  type KeyValueEntry,
  type KeyValueWatch,
  type KeyValueWatcher,
  type WriteOptions,
} from "./key-value.ts";
export { InProcessBus, type InProcessBusOptions } from "./in-process-bus.ts";
export { RevisionGap, type RevisionStep } from "./revision-gap.ts";
export { buckets, subjects } from "./subjects.ts";
