import {
  type Cluster,
  Cluster_TransportSocketMatchSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { canonicalJson, type TlsMatch } from "@fairlead/proxy-upstream";
import type { SecretLookup } from "../secrets/secret.ts";
import { refuseOthers } from "./rejection.ts";
import { readUpstreamTls } from "./tls-context.ts";

/** What endpoints say of themselves to be connected to in a certain way. */
export const TLS_NAMESPACE = "envoy.transport_socket_match";

/** @throws FairleadError FL_XDS_REJECTED */
export function readTlsMatches({ transportSocketMatches }: Cluster, secrets: SecretLookup): readonly TlsMatch[] {
  return transportSocketMatches.map((message, i) => {
    const where = `transport_socket_matches[${i}]`;
    refuseOthers(Cluster_TransportSocketMatchSchema, message, `${where}.`, ["name", "match", "transport_socket"]);
    return {
      match: new Map(Object.entries(message.match ?? {}).map(([name, value]) => [name, canonicalJson(value)])),
      tls: readUpstreamTls(message.transportSocket, secrets, `${where}.transport_socket`),
    };
  });
}
