import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { Http2ProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { XdsResource } from "../xds-resource.ts";
import { assignmentInit, cluster } from "./resources.ts";

export type Http2Init = MessageInitShape<typeof Http2ProtocolOptionsSchema>;

/** A STATIC cluster whose hosts speak HTTP/2. */
export function http2Cluster(
  name: string,
  ports: readonly number[],
  init: Parameters<typeof cluster>[1] = {},
  options: Http2Init = {},
): XdsResource {
  const http2Only = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: create(Http2ProtocolOptionsSchema, options) } },
    },
  });
  return cluster(name, {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit(name, ports),
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(HttpProtocolOptionsSchema, http2Only),
    },
    ...init,
  });
}
