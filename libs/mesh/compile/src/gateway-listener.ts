import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { TrafficDirection } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type FilterChain,
  FilterChainSchema,
  type ListenerFilter,
  ListenerFilterSchema,
} from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { TlsInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import type { MeshNode } from "@fairlead/model";
import type { Subnet } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { compiled, type RenderedResource } from "./compiled.ts";
import { downstreamTls } from "./downstream-tls.ts";
import { type PlannedPort, type PlannedServer } from "./gateway-plan.ts";
import { plainRoutesName, secureRoutesName } from "./gateway-routes.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { anyAddressFor } from "./listeners.ts";
import { type ConnectionTarget, tcpProxy } from "./tcp-proxy.ts";

/** Connections of a port that are passed on as bytes. */
export interface ConnectionChain {
  /** Empty = of any server name. */
  readonly serverNames: readonly string[];
  readonly subnets: readonly Subnet[];
  readonly targets: readonly ConnectionTarget[];
  /** Whose TLS ends here; undefined = passed on as it is. */
  readonly endsTlsOf: PlannedServer | undefined;
}

export interface ListeningPort {
  readonly port: PlannedPort;
  readonly connections: readonly ConnectionChain[];
}

function chainMatch(serverNames: readonly string[], subnets: readonly Subnet[]) {
  // Every name is the same as no condition.
  const names = serverNames.includes("*") ? [] : [...serverNames];
  return names.length + subnets.length === 0
    ? {}
    : {
        filterChainMatch: {
          serverNames: names,
          prefixRanges: subnets.map(({ address, prefixLength }) => ({
            addressPrefix: address,
            prefixLen: prefixLength,
          })),
        },
      };
}

function httpFilter(routesName: string) {
  return {
    name: "envoy.filters.network.http_connection_manager",
    configType: {
      case: "typedConfig" as const,
      value: httpConnectionManager(routesName, routesName, "canonical"),
    },
  };
}

function secureChain(server: PlannedServer): FilterChain {
  return create(FilterChainSchema, {
    ...chainMatch(
      server.hosts.map(({ host }) => host),
      [],
    ),
    filters: [httpFilter(secureRoutesName(server))],
    transportSocket: downstreamTls(server.server.tls!, true),
  });
}

function connectionChain(name: string, { serverNames, subnets, targets, endsTlsOf }: ConnectionChain): FilterChain {
  return create(FilterChainSchema, {
    ...chainMatch(serverNames, subnets),
    filters: [tcpProxy(name, targets)],
    ...(endsTlsOf === undefined ? {} : { transportSocket: downstreamTls(endsTlsOf.server.tls!, false) }),
  });
}

/** Whether calls are taken out of its TLS; otherwise bytes are passed on. */
export function endsInHttp({ server }: PlannedServer): boolean {
  return server.port.protocol === "HTTPS" && server.tls?.mode !== "PASSTHROUGH";
}

function tlsInspector(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.tls_inspector",
    configType: { case: "typedConfig", value: anyPack(TlsInspectorSchema, create(TlsInspectorSchema)) },
  });
}

export function gatewayListenerName({ number, bind }: PlannedPort): string {
  return bind === undefined ? `gateway|${number}` : `gateway|${number}|${bind}`;
}

/** A port of a gateway; undefined where nothing says what to do with its connections: a proxy takes no listener without a chain. */
export function gatewayListener(
  node: Pick<MeshNode, "id" | "address">,
  { port, connections }: ListeningPort,
): RenderedResource | undefined {
  const name = gatewayListenerName(port);
  const chains =
    port.kind === "http"
      ? [create(FilterChainSchema, { filters: [httpFilter(plainRoutesName(port))] })]
      : [
          ...port.servers.filter((server) => endsInHttp(server)).map((server) => secureChain(server)),
          ...connections.map((chain) => connectionChain(name, chain)),
        ];
  if (chains.length === 0) return undefined;
  const message = create(ListenerSchema, {
    name,
    address: {
      address: {
        case: "socketAddress",
        value: {
          address: port.bind ?? anyAddressFor(node.address),
          portSpecifier: { case: "portValue", value: port.number },
        },
      },
    },
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: chains.some(({ filterChainMatch }) => (filterChainMatch?.serverNames.length ?? 0) > 0)
      ? [tlsInspector()]
      : [],
    filterChains: chains,
  });
  const gateways: ProvenanceEntry[] = port.servers.map(({ provenance }) => provenance);
  return compiled({ key: `lds/${node.id}/${name}`, typeUrl: typeUrls.listener, name }, ListenerSchema, message, [
    { kind: "node", key: node.id },
    ...new Map(gateways.map((entry) => [entry.key, entry])).values(),
  ]);
}
