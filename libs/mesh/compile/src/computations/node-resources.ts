import { computation } from "@fairlead/incremental";
import { type Instance, isForeignProxy, takesRpcCalls } from "@fairlead/model";
import type { Sidecar } from "@fairlead/policy";
import { inboundCluster } from "../cluster.ts";
import type { RenderedResource } from "../compiled.ts";
import { inboundRoutes } from "../inbound-routes.ts";
import { inboundListener, outboundListener, outboundRpcListener } from "../listeners.ts";
import { httpRank, isRpc, outboundRpcListenerName, speaksHttp2 } from "../names.ts";
import { outboundRpcRoutesKey } from "../outbound-routes.ts";
import { scopeIdOf } from "../scope.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { envoyRpcKeys } from "./envoy-rpc.ts";
import { instances, instancesOfNode, nodes } from "./facts.ts";
import { gatewayKeys } from "./gateways.ts";
import { sidecarInForce } from "./sidecars.ts";
import { routesScope, scopeOfNode, scopeRoutes, scopeRpcRoutes, scopeView } from "./scopes.ts";

const hasRpcInbound = computation("takes RPC for its application", (reading, id) => {
  const node = reading.get(nodes, id);
  return node !== undefined && takesRpcCalls(node);
});

/** What a node publishes over the protocols that its proxy takes calls of, without what its own proxy does not see: state and labels. Key: the node's id. */
const publishedOn = computation("published on a node", (reading, id): readonly Instance[] =>
  reading
    .get(instancesOfNode, id)
    .map((key) => reading.get(instances, key)!)
    .filter(({ protocol }) => httpRank(protocol) !== undefined || (isRpc(protocol) && reading.get(hasRpcInbound, id)))
    .map((instance) => ({ ...instance, state: "ready" as const, labels: {}, methods: [] })),
);

/** What a Sidecar says of the way to the application on a port. */
function ingressOf(policy: Sidecar | undefined, port: number) {
  const ingress = policy?.ingress.find((one) => one.port.number === port);
  const pool = ingress?.connectionPool ?? policy?.inboundConnectionPool;
  const found = /^\[?(.+?)\]?:(\d+)$/.exec(ingress?.defaultEndpoint ?? "");
  return { pool, ...(found === null ? {} : { host: found[1]!, to: Number(found[2]) }) };
}

/** Several protocols on one port, as Dubbo 3 has it: the application tells them apart as our listener does. */
function spokenOn(members: readonly Instance[]) {
  const protocols = new Set(members.map(({ protocol }) => protocol));
  const [first] = protocols;
  if (![...protocols].some(isRpc)) return undefined;
  return protocols.size === 1 ? first : "several";
}

/** What only this node's proxy holds: its listeners, and the way to its application. Key: the node's id. */
const nodeResources = contribution<Contribution>(
  "resources of a node",
  (key) => ({ kind: "node", key }),
  (reading, id) => {
    const node = reading.get(nodes, id);
    const resources: RenderedResource[] = [];
    if (node?.outboundPort !== undefined) resources.push(outboundListener(node, node.outboundPort));
    if (node?.outboundRpcPort !== undefined && !isForeignProxy(node))
      resources.push(outboundRpcListener(node, node.outboundRpcPort));
    if (node?.inboundPort !== undefined) {
      const published = reading.get(publishedOn, id);
      resources.push(inboundListener(node, node.inboundPort), inboundRoutes(id, published));
      for (const [port, members] of Map.groupBy(published, (instance) => instance.port)) {
        const http2 =
          members.some(({ protocol }) => httpRank(protocol) !== undefined) &&
          members.every(({ protocol }) => speaksHttp2(protocol));
        const ingress = ingressOf(reading.get(sidecarInForce, id), port);
        resources.push(inboundCluster(id, port, http2, { ...ingress, speaks: spokenOn(members) }));
      }
    }
    return { resources };
  },
);

const nodeKeys = computation("keys of a node", (reading, id): readonly string[] =>
  (reading.get(nodeResources, id).resources ?? []).map(({ key }) => key),
);

/** By the listener that the proxy holds: it may be that of before, and needs its routes then, too. */
const hasRpcListener = computation("has a listener of ours for RPC", (reading, id) =>
  reading.get(nodeKeys, id).includes(`lds/${id}/${outboundRpcListenerName}`),
);

/** Key: the node's id. */
export const nodeView = contribution<Contribution>(
  "node",
  (key) => ({ kind: "node", key }),
  (reading, id) => {
    const scope = reading.get(scopeOfNode, id);
    reading.hold(scopeRoutes, routesScope(scope));
    reading.hold(scopeView, scope);
    const takesRpc = reading.get(hasRpcListener, id);
    if (takesRpc) reading.hold(scopeRpcRoutes, routesScope(scope));
    const rpcRoutes = takesRpc ? [outboundRpcRoutesKey(scopeIdOf(routesScope(scope)))] : [];
    return {
      node: {
        nodeId: id,
        scopeId: scopeIdOf(scope),
        keys: new Set([
          ...rpcRoutes,
          ...reading.get(nodeKeys, id),
          ...reading.get(envoyRpcKeys, id),
          ...reading.get(gatewayKeys, id),
        ]),
      },
    };
  },
);
