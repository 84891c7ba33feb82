export { type CompiledResource, type NodeView, type ProvenanceEntry, type ScopeView } from "./compiled-resource.ts";
export { contentVersion } from "./content-version.ts";
export {
  type BucketKey,
  bucketKeyOf,
  headKey,
  isPolicyBucketKey,
  parseBucketKey,
  policyBucketKeyOf,
  rejectedKey,
} from "./bucket-layout.ts";
export { type DecodedEntry, decodeEntry } from "./decode-entry.ts";
export { encodeHead, encodeNode, encodeResource, encodeRevision, encodeScope } from "./encode-entry.ts";
export { pack, unpack } from "./packed.ts";
export { pushOrder } from "./push-order.ts";
export { everythingScope } from "./mesh-snapshot.ts";
export { type ResourceView } from "./resource-view.ts";
export { mergeTouched } from "./scope-moves.ts";
export {
  type BucketEntry,
  type ReplicaCommit,
  SnapshotReplica,
  type SnapshotReplicaOptions,
} from "./snapshot-replica.ts";
export { type TouchedNames } from "./touched-names.ts";
