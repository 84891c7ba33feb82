import { type RpcProxy, RpcProxySchema } from "@fairlead/fairlead-api";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  type ConfiguredFilter,
  type ConnectionManagerConfig,
  connectionManagerDefaults as defaults,
  streamFilterReader,
} from "@fairlead/proxy-filter";
import { rpcProtocols } from "@fairlead/proxy-stream";
import "./filters/index.ts";
import type { TranslatedConnectionManager } from "./connection-manager.ts";
import { refuseOthers, rejection } from "./rejection.ts";

type RpcProtocol = NonNullable<ReturnType<(typeof rpcProtocols)["get"]>>;

export interface TranslatedRpcProxy extends TranslatedConnectionManager {
  readonly routes: string;
  /** In the order in which they are tried on a connection's first bytes. */
  readonly protocols: readonly RpcProtocol[];
}

/** A call is one piece, so that time-outs of a request's parts do not apply; what a route says does. */
const config: Omit<ConnectionManagerConfig, "routes" | "accessLog"> = {
  ...defaults,
  httpHeads: false,
  normalizePath: false,
  generateRequestId: false,
  suppressEnvoyHeaders: true,
  streamIdleTimeoutMs: 0,
};

/** By the name that routes configure it by; it does nothing on other routes. */
const FAULT_FILTER = "envoy.filters.http.fault";

function faultFilter(where: string): ConfiguredFilter {
  const create = streamFilterReader(`type.googleapis.com/${HTTPFaultSchema.typeName}`);
  if (create === undefined) throw rejection(where, "has no fault filter");
  return { name: FAULT_FILTER, disabled: true, create: create(new Uint8Array(), { name: FAULT_FILTER, where }) };
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readRpcProxy(message: RpcProxy, where: string): TranslatedRpcProxy {
  refuseOthers(RpcProxySchema, message, where, ["stat_prefix", "route_config_name", "protocols"]);
  if (message.routeConfigName === "") throw rejection(`${where}route_config_name`, "is empty");
  const wanted = message.protocols.length === 0 ? [...rpcProtocols.keys()] : message.protocols;
  const protocols = wanted.map((name, i) => {
    const protocol = rpcProtocols.get(name);
    if (protocol === undefined)
      throw rejection(`${where}protocols[${i}]`, `${name} is not served; ${[...rpcProtocols.keys()].join(", ")} are`);
    return protocol;
  });
  return {
    statPrefix: message.statPrefix,
    config: { ...config, filters: [faultFilter(where)] },
    routes: message.routeConfigName,
    protocols,
  };
}
