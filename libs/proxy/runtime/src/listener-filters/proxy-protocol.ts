import { fromBinary } from "@bufbuild/protobuf";
import { ProxyProtocolConfig_Version } from "@fairlead/envoy-api/envoy/config/core/v3/proxy_protocol_pb.js";
import {
  type ProxyProtocol_Rule,
  ProxyProtocolSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { type ListenerFilter, registerListenerFilter } from "@fairlead/proxy-filter";
import { refuseOthers, rejection } from "../translate/rejection.ts";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "./proxy-header.ts";

export interface ProxyProtocolOptions {
  /** Connections without a header are served, as themselves. For who is not behind a balancer alone: clients can then lie. @default false */
  readonly allowsAbsence: boolean;
  readonly disallowed: ReadonlySet<1 | 2>;
  /** What becomes metadata of the connection, by the type of its TLV. */
  readonly metadata: ReadonlyMap<number, { readonly namespace: string; readonly key: string }>;
  /** Between `proxy_proto.` and the names of the counters. @default "" */
  readonly statPrefix: string;
}

/** Takes the header of a balancer off a connection, and believes what it says. */
export function proxyProtocol({
  allowsAbsence,
  disallowed,
  statPrefix,
  metadata,
}: ProxyProtocolOptions): ListenerFilter {
  const prefix = statPrefix === "" ? "proxy_proto" : `proxy_proto.${statPrefix}`;
  return {
    maxBytes: MAX_PROXY_HEADER_BYTES,
    look(bytes, facts, count) {
      const header = readProxyHeader(bytes);
      if (header === "more") return "more";
      if (header === "absent") {
        count(`${prefix}.not_found_${allowsAbsence ? "allowed" : "disallowed"}`);
        return allowsAbsence ? 0 : "close";
      }
      const stat = `${prefix}.versions.v${header.version}`;
      if (disallowed.has(header.version)) {
        count(`${stat}.disallowed`);
        return "close";
      }
      if (!("length" in header)) {
        count(`${stat}.error`);
        return "close";
      }
      count(`${stat}.found`);
      if (header.ends !== undefined) {
        const { source, destination } = header.ends;
        facts.localRestored =
          destination.address !== facts.localAddress || destination.port !== facts.localPort || facts.localRestored;
        facts.localAddress = destination.address;
        facts.localPort = destination.port;
        facts.remoteAddress = source.address;
        facts.remotePort = source.port;
      }
      for (const { type, value } of header.tlvs) {
        const wanted = metadata.get(type);
        if (wanted === undefined) continue;
        facts.metadata = {
          ...facts.metadata,
          [wanted.namespace]: { ...facts.metadata?.[wanted.namespace], [wanted.key]: value.toString() },
        };
      }
      return header.length;
    },
  };
}

/** Envoy's. */
const DEFAULT_NAMESPACE = "envoy.filters.listener.proxy_protocol";

function readRule(
  { tlvType, onTlvPresent: present }: ProxyProtocol_Rule,
  where: string,
): [number, { namespace: string; key: string }] {
  if (tlvType > 255) throw rejection(`${where}tlv_type`, "is more than 255");
  if (present === undefined || present.key === "") throw rejection(`${where}on_tlv_present.key`, "is empty");
  return [tlvType, { namespace: present.metadataNamespace || DEFAULT_NAMESPACE, key: present.key }];
}

registerListenerFilter(`type.googleapis.com/${ProxyProtocolSchema.typeName}`, (config, where) => {
  const message = fromBinary(ProxyProtocolSchema, config);
  refuseOthers(ProxyProtocolSchema, message, where, [
    "allow_requests_without_proxy_protocol",
    "disallowed_versions",
    "stat_prefix",
    "rules",
  ]);
  return proxyProtocol({
    statPrefix: message.statPrefix,
    allowsAbsence: message.allowRequestsWithoutProxyProtocol,
    disallowed: new Set(
      message.disallowedVersions.map((version) => (version === ProxyProtocolConfig_Version.V1 ? 1 : 2)),
    ),
    metadata: new Map(message.rules.map((rule, i) => readRule(rule, `${where}rules[${i}].`))),
  });
});
