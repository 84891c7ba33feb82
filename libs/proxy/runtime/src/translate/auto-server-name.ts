import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Cluster } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { UpstreamHttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { UpstreamTls } from "@fairlead/proxy-upstream";
import { HTTP_OPTIONS } from "./protocol-options.ts";
import { refuseOthers } from "./rejection.ts";

/**
 * What requests have to say about the name that TLS towards a cluster's hosts tells them.
 *
 * @returns adds that to how they are connected to
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readAutoServerName(message: Cluster): (tls: UpstreamTls | undefined) => UpstreamTls | undefined {
  const any = message.typedExtensionProtocolOptions[HTTP_OPTIONS];
  const inside = any === undefined ? undefined : anyUnpack(any, HttpProtocolOptionsSchema);
  const options = inside?.upstreamHttpProtocolOptions ?? message.upstreamHttpProtocolOptions;
  if (options === undefined) return (tls) => tls;
  refuseOthers(UpstreamHttpProtocolOptionsSchema, options, "upstream_http_protocol_options.", [
    "auto_sni",
    "auto_san_validation",
    "override_auto_sni_header",
  ]);
  const { autoSni, autoSanValidation: checksServerName, overrideAutoSniHeader: header } = options;
  const auto = autoSni ? { header: header === "" ? undefined : header.toLowerCase() } : undefined;
  return (tls) => (tls === undefined ? undefined : { ...tls, auto, checksServerName });
}
