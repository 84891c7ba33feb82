export { type CompiledResource, type NodeView, type ProvenanceEntry, type ScopeView } from "./compiled-resource.ts";
export { type BucketKey, bucketKeyOf, headKey, parseBucketKey } from "./bucket-layout.ts";
export { pushOrder } from "./push-order.ts";
export { type ReplicaCommit, SnapshotReplica } from "./snapshot-replica.ts";
