import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { AddressSchema } from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import { ConfigSourceSchema } from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import type { LbEndpointSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { FilterChainSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { XdsResource } from "../xds-resource.ts";

const ads = create(ConfigSourceSchema, { configSourceSpecifier: { case: "ads", value: {} } });

/** The fields of a message, to be completed by a helper. */
type Fields<Desc extends DescMessage> = Extract<MessageInitShape<Desc>, { readonly $typeName?: undefined }>;

type HostInit = Fields<typeof LbEndpointSchema>;

function resource<Desc extends DescMessage>(schema: Desc, name: string, init: MessageInitShape<Desc>): XdsResource {
  return { name, body: toBinary(schema, create(schema, init)) };
}

export function duration(ms: number): {
  readonly $typeName: "google.protobuf.Duration";
  seconds: bigint;
  nanos: number;
} {
  return create(DurationSchema, { seconds: BigInt(Math.trunc(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });
}

/** An EDS cluster whose assignment has its own name. */
export function cluster(name: string, init: Fields<typeof ClusterSchema> = {}): XdsResource {
  return resource(ClusterSchema, name, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads },
    connectTimeout: duration(1000),
    ...init,
  });
}

export function staticCluster(name: string, ports: readonly number[]): XdsResource {
  return cluster(name, {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit(name, ports),
  });
}

export function endpoints(name: string, ports: readonly number[], weights: readonly number[] = []): XdsResource {
  return resource(ClusterLoadAssignmentSchema, name, assignmentInit(name, ports, weights));
}

export function assignmentInit(
  clusterName: string,
  ports: readonly number[],
  weights: readonly number[] = [],
): MessageInitShape<typeof ClusterLoadAssignmentSchema> {
  const lbEndpoints = ports.map((port, i) => ({ ...hostAt(port), loadBalancingWeight: weights[i] ?? 1 }));
  return { clusterName, endpoints: [{ lbEndpoints }] };
}

/** An EDS resource with hosts by their localities and priorities. */
export function assignment(
  name: string,
  localities: NonNullable<Fields<typeof ClusterLoadAssignmentSchema>["endpoints"]>,
): XdsResource {
  return resource(ClusterLoadAssignmentSchema, name, { clusterName: name, endpoints: localities });
}

/** Where a host of a cluster is, for its `lbEndpoints`. @param host an address, or a name where the cluster asks DNS */
export function hostAt(port: number, host?: string): Pick<HostInit, "hostIdentifier"> {
  return { hostIdentifier: { case: "endpoint", value: { address: address(port, host) } } };
}

function address(port: number, host = "127.0.0.1"): MessageInitShape<typeof AddressSchema> {
  return {
    address: {
      case: "socketAddress",
      value: { address: host, portSpecifier: { case: "portValue", value: port } },
    },
  };
}

/** A listener on loopback that takes the routes of its own name over RDS. */
export function listener(
  name: string,
  port: number,
  init: Fields<typeof HttpConnectionManagerSchema> = {},
  listenerInit: Fields<typeof ListenerSchema> = {},
): XdsResource {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { routeConfigName: name, configSource: ads } },
    httpFilters: [
      { name: "router", configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) } },
    ],
    ...init,
  });
  return resource(ListenerSchema, name, {
    name,
    address: address(port),
    filterChains: [
      {
        filters: [
          { name: "hcm", configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, manager) } },
        ],
      },
    ],
    ...listenerInit,
  });
}

type ChainInit = Extract<MessageInitShape<typeof FilterChainSchema>, { readonly $typeName?: undefined }>;

/** The chain of `listener`, with more to it. */
export function filterChains(name: string, init: ChainInit): ChainInit[] {
  const [chain] = fromBinary(ListenerSchema, listener(name, 0).body).filterChains;
  return [{ filters: chain?.filters ?? [], ...init }];
}

export type VirtualHostInit = NonNullable<MessageInitShape<typeof RouteConfigurationSchema>["virtualHosts"]>[number];
export type RouteActionInit = Extract<
  NonNullable<NonNullable<VirtualHostInit["routes"]>[number]["action"]>,
  { case: "route" }
>["value"];

export function routes(name: string, ...virtualHosts: VirtualHostInit[]): XdsResource {
  return resource(RouteConfigurationSchema, name, { name, virtualHosts, ignorePortInHostMatching: true });
}

/** All paths of a domain to one cluster. */
export function toCluster(domain: string, clusterName: string, action: RouteActionInit = {}): VirtualHostInit {
  return {
    name: domain,
    domains: [domain],
    routes: [
      {
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: clusterName }, ...action } },
      },
    ],
  };
}
