import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";

/** Fields of a cluster, as those give them who each know some of it; to be spread into one. */
export type ClusterInit = Omit<Extract<MessageInitShape<typeof ClusterSchema>, { $typeName?: never }>, "$typeName">;
