import { isIP } from "node:net";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type FilterChain,
  FilterChainMatch_ConnectionSourceType,
  FilterChainMatchSchema,
  FilterChainSchema,
} from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import type { CidrRange } from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";
import { networkFilterReader, networkFilterTypes, type TcpProxyConfig } from "@fairlead/proxy-filter";
import type { AccessLogSpec } from "../access-log/access-log.ts";
import { type AddressRange, type ChainMatch, matchesAny } from "../listener/chain-match.ts";
import type { DownstreamTls } from "../listener/tls-termination.ts";
import "../network-filters/index.ts";
import type { ConfiguredNetworkFilter } from "../network-filters/pass-filters.ts";
import type { SecretLookup } from "../secrets/secret.ts";
import { readConnectionManager, type TranslatedConnectionManager } from "./connection-manager.ts";
import { readAccessLogs } from "./access-log.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readRpcProxy, type TranslatedRpcProxy } from "./rpc-proxy.ts";
import { readTcpProxy } from "./tcp-proxy.ts";
import { readDownstreamTls } from "./tls-context.ts";

/** What a listener does with the connections that fit. */
export interface TranslatedChain {
  /** What tells it from the others of its listener, also after a change. */
  readonly key: string;
  /** "" when it has none. */
  readonly name: string;
  readonly match: ChainMatch;
  readonly tls: DownstreamTls | undefined;
  /** Connections stay while the server's health check is failed. @default false */
  readonly staysWhenFailed: boolean;
  /** Takes the connections that begin with a call; what `serves` does the others. */
  readonly rpc: TranslatedRpcProxy | undefined;
  /** What decides on a connection before all that, in turn. */
  readonly filters: readonly ConfiguredNetworkFilter[];
  readonly serves:
    | { readonly kind: "none" }
    | { readonly kind: "http"; readonly manager: TranslatedConnectionManager }
    | { readonly kind: "tcp"; readonly proxy: TcpProxyConfig; readonly accessLogs: readonly AccessLogSpec[] };
}

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readFilterChain(
  message: FilterChain,
  where: string,
  index: number,
  secrets: SecretLookup,
): TranslatedChain {
  refuseOthers(FilterChainSchema, message, where, [
    "filters",
    "name",
    "metadata",
    "filter_chain_match",
    "transport_socket",
    "transport_socket_connect_timeout",
  ]);
  const all = message.filters.map(({ configType }) =>
    configType.case === "typedConfig" ? configType.value : undefined,
  );
  const filters = readNetworkFilters(all, where);
  const configs = all.slice(filters.length);
  const rpc = configs[0] === undefined ? undefined : anyUnpack(configs[0], RpcProxySchema);
  const at = rpc === undefined ? 0 : 1;
  const any = configs[at];
  if (configs.length > at + 1 || configs.includes(undefined) || (any === undefined && rpc === undefined)) {
    throw rejection(
      `${where}filters`,
      `the last one is an http_connection_manager or a tcp_proxy; fairlead.v1.RpcProxy may be before it, and before that any of ${networkFilterTypes().join(", ")}`,
    );
  }
  return {
    key: message.name === "" ? String(index) : `name ${message.name}`,
    name: message.name,
    match: readMatch(message, `${where}filter_chain_match.`),
    tls: readDownstreamTls(message, where, secrets),
    rpc: rpc === undefined ? undefined : readRpcProxy(rpc, `${where}filters[${filters.length}].`),
    filters,
    staysWhenFailed: false,
    serves: any === undefined ? { kind: "none" } : readServes(any, `${where}filters[${filters.length + at}]`),
  };
}

/** Those at the beginning that are in the registry. */
function readNetworkFilters(configs: readonly (Any | undefined)[], where: string): readonly ConfiguredNetworkFilter[] {
  const filters: ConfiguredNetworkFilter[] = [];
  for (const [i, any] of configs.entries()) {
    const read = any === undefined ? undefined : networkFilterReader(any.typeUrl);
    if (any === undefined || read === undefined) break;
    const filter = read(any.value, `${where}filters[${i}].typed_config.`);
    filters.push({ typeUrl: any.typeUrl, config: any.value, filter });
  }
  return filters;
}

function readServes(any: Any, where: string): TranslatedChain["serves"] {
  const manager = anyUnpack(any, HttpConnectionManagerSchema);
  if (manager !== undefined) return { kind: "http", manager: readConnectionManager(manager, `${where}.`) };
  const proxy = anyUnpack(any, TcpProxySchema);
  if (proxy === undefined) throw rejection(where, `${any.typeUrl} is not supported`);
  return {
    kind: "tcp",
    proxy: readTcpProxy(proxy, `${where}.`),
    accessLogs: readAccessLogs(proxy.accessLog, `${where}.access_log`),
  };
}

function readMatch(message: FilterChain, where: string): ChainMatch {
  const match = message.filterChainMatch;
  if (match === undefined) return matchesAny;
  refuseOthers(FilterChainMatchSchema, match, where, [
    "destination_port",
    "prefix_ranges",
    "server_names",
    "transport_protocol",
    "application_protocols",
    "direct_source_prefix_ranges",
    "source_type",
    "source_prefix_ranges",
    "source_ports",
  ]);
  const transport = match.transportProtocol;
  if (transport !== "" && transport !== "tls" && transport !== "raw_buffer")
    throw rejection(`${where}transport_protocol`, `${transport} is not supported; tls and raw_buffer are`);
  for (const [i, name] of match.serverNames.entries())
    if (name.includes("*") && !/^\*\.[^*]+$/.test(name))
      throw rejection(`${where}server_names[${i}]`, "a * is allowed only as the first label");
  return {
    destinationPort: match.destinationPort,
    destinations: match.prefixRanges.map((range, i) => readRange(range, `${where}prefix_ranges[${i}]`)),
    serverNames: match.serverNames.map((name) => name.toLowerCase()),
    transport,
    alpn: match.applicationProtocols,
    directSources: match.directSourcePrefixRanges.map((range, i) =>
      readRange(range, `${where}direct_source_prefix_ranges[${i}]`),
    ),
    sourceType: sourceTypes[match.sourceType],
    sources: match.sourcePrefixRanges.map((range, i) => readRange(range, `${where}source_prefix_ranges[${i}]`)),
    sourcePorts: match.sourcePorts,
  };
}

const sourceTypes: Readonly<Record<FilterChainMatch_ConnectionSourceType, ChainMatch["sourceType"]>> = {
  [FilterChainMatch_ConnectionSourceType.ANY]: "any",
  [FilterChainMatch_ConnectionSourceType.SAME_IP_OR_LOOPBACK]: "local",
  [FilterChainMatch_ConnectionSourceType.EXTERNAL]: "external",
};

function readRange({ addressPrefix, prefixLen = 0 }: CidrRange, field: string): AddressRange {
  const version = isIP(addressPrefix);
  if (version === 0 || prefixLen > (version === 4 ? 32 : 128)) throw rejection(field, "is not a range of addresses");
  return { address: addressPrefix, prefixLength: prefixLen };
}
