import type { HttpConnectionManager } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type {
  TcpProxy,
  TcpProxy_WeightedCluster,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { repeated } from "./route-checks.ts";
import type { MessageCheck } from "./walk.ts";

const routerType = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

function* connectionManager({ statPrefix, httpFilters, routeSpecifier }: HttpConnectionManager): Generator<string> {
  if (statPrefix === "") yield "it has no stat_prefix";
  if (routeSpecifier.case === undefined) yield "it has no routes";
  if (routeSpecifier.case === "rds") {
    const { routeConfigName, configSource } = routeSpecifier.value;
    if (routeConfigName === "") yield "its routes come by RDS, and it does not say which";
    if (configSource === undefined) yield "its routes come by RDS, and it does not say from where";
  }
  for (const name of repeated(httpFilters.map((filter) => filter.name)))
    yield `the filter ${JSON.stringify(name)} is there twice`;
  if (httpFilters.some(({ name }) => name === "")) yield "a filter has no name";
  // What answers a request ends the chain: none may follow it, and there is one.
  const routers = httpFilters.map(({ configType }) =>
    configType.case === "typedConfig" ? configType.value.typeUrl === routerType : false,
  );
  if (!routers.at(-1)) yield "the last filter is not the router";
  if (routers.slice(0, -1).includes(true)) yield "filters follow the router";
}

function* tcpProxy({ statPrefix, clusterSpecifier }: TcpProxy): Generator<string> {
  if (statPrefix === "") yield "it has no stat_prefix";
  if (clusterSpecifier.case === undefined) yield "it leads nowhere";
  if (clusterSpecifier.case === "cluster" && clusterSpecifier.value === "") yield "its cluster has no name";
}

function* weightedConnections({ clusters }: TcpProxy_WeightedCluster): Generator<string> {
  if (clusters.length === 0) yield "it has no cluster";
  if (clusters.some(({ weight }) => weight < 1)) yield "the weight of a cluster is at least 1";
  if (clusters.some(({ name }) => name === "")) yield "a cluster has no name";
}

export const connectionManagerChecks: readonly (readonly [string, MessageCheck])[] = [
  ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", connectionManager],
  ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", tcpProxy],
  ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster", weightedConnections],
];
