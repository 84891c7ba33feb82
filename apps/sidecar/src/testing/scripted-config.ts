import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ClusterSchema, Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { AddressSchema } from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { scripted, type ScriptedResource } from "@fairlead/proxy-xds-client/testing";

/** Resources as config-compiler makes them, as far as these tests need. */
function ads(): ConfigSource {
  return create(ConfigSourceSchema, {
    resourceApiVersion: ApiVersion.V3,
    configSourceSpecifier: { case: "ads", value: {} },
  });
}

function address(port: number) {
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: port } },
    },
  });
}

function assignment(clusterName: string, ports: readonly number[]) {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [
      {
        locality: {},
        loadBalancingWeight: 1,
        lbEndpoints: ports.map((port) => ({
          hostIdentifier: { case: "endpoint" as const, value: { address: address(port) } },
        })),
      },
    ],
  });
}

export function edsCluster(name: string): ScriptedResource {
  return scripted(
    ClusterSchema,
    create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: ads() },
    }),
  );
}

export function endpoints(clusterName: string, ports: readonly number[]): ScriptedResource {
  return scripted(ClusterLoadAssignmentSchema, assignment(clusterName, ports));
}

export function inboundCluster(port: number): ScriptedResource {
  const name = `inbound|${port}`;
  return scripted(
    ClusterSchema,
    create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      loadAssignment: assignment(name, [port]),
    }),
  );
}

/**
 * A listener that takes its routes of the same name from RDS.
 *
 * @param filterTypes type URLs of filters with an empty configuration
 */
export function listener(name: string, port: number, filterTypes: readonly string[] = []): ScriptedResource {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { routeConfigName: name, configSource: ads() } },
    httpFilters: [
      ...filterTypes.map((typeUrl) => ({
        name: typeUrl,
        configType: { case: "typedConfig" as const, value: { typeUrl } },
      })),
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
  });
  return scripted(
    ListenerSchema,
    create(ListenerSchema, {
      name,
      address: address(port),
      filterChains: [
        {
          filters: [
            {
              name: "envoy.filters.network.http_connection_manager",
              configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, manager) },
            },
          ],
        },
      ],
    }),
  );
}

/** @param clusterOf the cluster of each host name */
export function routes(name: string, clusterOf: Readonly<Record<string, string>>): ScriptedResource {
  return scripted(
    RouteConfigurationSchema,
    create(RouteConfigurationSchema, {
      name,
      virtualHosts: Object.entries(clusterOf).map(([host, cluster]) => ({
        name: host,
        domains: [host],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix" as const, value: "/" } },
            action: {
              case: "route" as const,
              value: { clusterSpecifier: { case: "cluster" as const, value: cluster } },
            },
          },
        ],
      })),
    }),
  );
}
