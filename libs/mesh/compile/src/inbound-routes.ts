import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  type Route,
  RouteActionSchema,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { type Instance, instanceKey, type Protocol } from "@fairlead/model";
import { compiled, type RenderedResource } from "./compiled.ts";
import { durationOf } from "./durations.ts";
import { inboundClusterName, inboundListenerName, isRpc } from "./names.ts";
import { headerIs, rpcProtocolHeader } from "./rpc-virtual-host.ts";
import { compareText } from "./compare-text.ts";

/** Calls go to the port, or by weight to the ports, that the application publishes on. @param rpc undefined = HTTP */
function routeTo(weightByPort: ReadonlyMap<number, number>, rpc: Protocol | undefined): Route {
  const ports = [...weightByPort].toSorted(([a], [b]) => a - b);
  const clusterSpecifier =
    ports.length === 1
      ? { case: "cluster" as const, value: inboundClusterName(ports[0]![0]) }
      : {
          case: "weightedClusters" as const,
          value: { clusters: ports.map(([port, weight]) => ({ name: inboundClusterName(port), weight })) },
        };
  return create(RouteSchema, {
    name: rpc ?? "default",
    match: {
      pathSpecifier: { case: "prefix", value: "/" },
      headers: rpc === undefined ? [] : [headerIs(rpcProtocolHeader, rpc)],
    },
    // The caller's proxy has the time-out; one here could only cut what that one allows.
    action: { case: "route", value: create(RouteActionSchema, { clusterSpecifier, timeout: durationOf(0) }) },
  });
}

/** By what their calls are told apart on the listener: all of HTTP's protocols are one. */
function bySpoken(instances: readonly Instance[]): [rpc: Protocol | undefined, members: Instance[]][] {
  const groups = Map.groupBy(instances, ({ protocol }) => (isRpc(protocol) ? protocol : undefined));
  return [...groups].toSorted(([a = "~"], [b = "~"]) => compareText(a, b));
}

function virtualHost(name: string, domain: string, routes: Route[]): VirtualHost {
  return create(VirtualHostSchema, { name, domains: [domain], routes });
}

function weights(instances: readonly Instance[]): Map<number, number> {
  const byPort = new Map<number, number>();
  for (const { port, weight } of instances) byPort.set(port, weight + (byPort.get(port) ?? 0));
  return byPort;
}

/**
 * What a node's proxy does with a call: to the application's port, whatever the state of the instance. A node that publishes on
 * one port only takes any Host, so that a caller may rewrite it, and RPC calls whose service cannot be read.
 *
 * @param instances of this node that its proxy takes calls for
 */
export function inboundRoutes(nodeId: string, instances: readonly Instance[]): RenderedResource {
  const byInterface = Map.groupBy(instances, (instance) => instance.interface.toLowerCase());
  const virtualHosts = [...byInterface]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([domain, members]) =>
      virtualHost(
        members.map((member) => member.interface).toSorted(compareText)[0]!,
        domain,
        bySpoken(members).map(([rpc, those]) => routeTo(weights(those), rpc)),
      ),
    );
  const anyInterface = bySpoken(instances).flatMap(([rpc, members]) => {
    const ports = weights(members);
    return ports.size === 1 ? [routeTo(ports, rpc)] : [];
  });
  if (anyInterface.length > 0) virtualHosts.push(virtualHost("any", "*", anyInterface));
  const message = create(RouteConfigurationSchema, {
    name: inboundListenerName,
    virtualHosts,
    validateClusters: false,
    ignorePortInHostMatching: true,
  });
  return compiled(
    { key: `rds/${nodeId}/${inboundListenerName}`, typeUrl: typeUrls.route, name: inboundListenerName },
    RouteConfigurationSchema,
    message,
    [
      { kind: "node", key: nodeId },
      ...instances
        .map((instance) => ({ kind: "instance" as const, key: instanceKey(instance) }))
        .toSorted((a, b) => compareText(a.key, b.key)),
    ],
  );
}
