import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { FilterChainSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { connectionManagerDefaults } from "@fairlead/proxy-filter";
import { readConnectionManager, type TranslatedConnectionManager } from "./connection-manager.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readAddress } from "./socket-address.ts";

export interface TranslatedListener extends TranslatedConnectionManager {
  readonly name: string;
  readonly address: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Connections that wait to be accepted; the system's limit cuts it. @default 1024 */
  readonly backlog: number;
}

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readListener(message: Listener): TranslatedListener {
  // A port has one listener in one process here, so that reuse of the port changes nothing.
  refuseOthers(ListenerSchema, message, "", [
    "name",
    "address",
    "stat_prefix",
    "filter_chains",
    "default_filter_chain",
    "per_connection_buffer_limit_bytes",
    "metadata",
    "drain_type",
    "traffic_direction",
    "enable_reuse_port",
    "tcp_backlog_size",
    ...(message.bindToPort === true ? ["bind_to_port"] : []),
  ]);
  if (message.name === "") throw rejection("name", "is empty");
  const chain = message.filterChains[0] ?? message.defaultFilterChain;
  const chains = message.filterChains.length + (message.defaultFilterChain === undefined ? 0 : 1);
  if (chain === undefined || chains !== 1) throw rejection("filter_chains", "exactly one is supported by this proxy");
  const where = message.filterChains.length === 1 ? "filter_chains[0]." : "default_filter_chain.";
  refuseOthers(FilterChainSchema, chain, where, ["filters", "name", "metadata"]);
  const [filter, ...others] = chain.filters;
  if (filter?.configType.case !== "typedConfig" || others.length > 0) {
    throw rejection(`${where}filters`, "exactly one, an http_connection_manager, is supported by this proxy");
  }
  const manager = anyUnpack(filter.configType.value, HttpConnectionManagerSchema);
  if (manager === undefined)
    throw rejection(`${where}filters[0]`, `${filter.configType.value.typeUrl} is not supported`);
  const translated = readConnectionManager(manager, `${where}filters[0].`);
  return {
    ...translated,
    config: {
      ...translated.config,
      highWatermarkBytes: message.perConnectionBufferLimitBytes ?? connectionManagerDefaults.highWatermarkBytes,
    },
    name: message.name,
    ...readAddress(message.address, "address"),
    backlog: message.tcpBacklogSize ?? 1024,
  };
}
