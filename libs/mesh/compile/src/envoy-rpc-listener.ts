import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { TrafficDirection } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { Filter } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { DubboProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/dubbo_proxy/v3/dubbo_proxy_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { MeshNode } from "@fairlead/model";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { compiled, type RenderedResource } from "./compiled.ts";
import { dubboRoutes } from "./dubbo-routes.ts";
import { outboundClusterName, outboundRpcListenerName } from "./names.ts";
import type { HostPlan } from "./service-plan.ts";

type FilterInit = Pick<Filter, "name" | "configType">;

function dubboProxy(plans: readonly HostPlan[]): FilterInit {
  const message = create(DubboProxySchema, {
    statPrefix: outboundRpcListenerName,
    routeConfig: plans.flatMap((plan) => dubboRoutes(plan)),
  });
  return {
    name: "envoy.filters.network.dubbo_proxy",
    configType: { case: "typedConfig", value: anyPack(DubboProxySchema, message) },
  };
}

function tcpProxy(cluster: string): FilterInit {
  const message = create(TcpProxySchema, {
    statPrefix: outboundRpcListenerName,
    clusterSpecifier: { case: "cluster", value: cluster },
  });
  return {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: anyPack(TcpProxySchema, message) },
  };
}

/** What takes the calls: Envoy tells neither protocol from the other, and of bolt nothing. */
function filterFor(plans: readonly HostPlan[]): FilterInit | undefined {
  const over = (protocol: string): HostPlan[] => plans.filter(({ services }) => services[0]!.protocol === protocol);
  const [dubbo, bolt] = [over("dubbo"), over("bolt")];
  if (dubbo.length > 0) return dubboProxy(dubbo);
  return bolt.length === 1 ? tcpProxy(outboundClusterName(bolt[0]!.services[0]!)) : undefined;
}

/**
 * Takes the application's calls at an unmodified Envoy, on loopback. Dubbo goes by `dubbo_proxy`, whose routes stand in the listener: it has no RDS
 * that stable Envoys know. Envoy cannot read bolt: a node that calls one bolt service, and no Dubbo one, gets it connection by connection.
 *
 * @param plans of all Dubbo and bolt services that the node sees
 * @returns undefined where there is nothing that it could do
 */
export function envoyRpcListener(
  node: MeshNode,
  port: number,
  plans: readonly HostPlan[],
): RenderedResource | undefined {
  const filter = filterFor(plans);
  if (filter === undefined) return undefined;
  const message = create(ListenerSchema, {
    name: outboundRpcListenerName,
    address: {
      address: {
        case: "socketAddress",
        value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: port } },
      },
    },
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [{ filters: [filter] }],
  });
  const provenance: ProvenanceEntry[] = [
    { kind: "node", key: node.id },
    ...plans.flatMap(({ routes }) => routes.map((route) => route.provenance)),
  ];
  const identity = {
    key: `lds/${node.id}/${outboundRpcListenerName}`,
    typeUrl: typeUrls.listener,
    name: outboundRpcListenerName,
  };
  return compiled(identity, ListenerSchema, message, provenance);
}
