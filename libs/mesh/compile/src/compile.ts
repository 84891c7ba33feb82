import { type Catalogue, type Instance, type MeshNode, serviceKey } from "@fairlead/model";
import type { CompiledResource, NodeView, ScopeView } from "@fairlead/snapshot";
import { inboundCluster, outboundClusters } from "./cluster.ts";
import { CompiledSet } from "./compiled-set.ts";
import { inboundRoutes } from "./inbound-routes.ts";
import { apiListener, inboundListener, outboundListener } from "./listeners.ts";
import { loadAssignments } from "./load-assignment.ts";
import { httpRank, speaksHttp2 } from "./names.ts";
import { apiRoutes, outboundRoutes } from "./outbound-routes.ts";
import { everythingId, interfacesByNode, scopeContent, scopeIdOf } from "./scope.ts";
import {
  planServices,
  type PoliciesInForce,
  type RejectedObject,
  rejection,
  type ServicePlan,
  type ServicePlans,
} from "./service-plan.ts";

/** An object that cannot be used now; what it had compiled to before stays in force. */
export type RejectedCompile = RejectedObject;

/** All xDS resources of a mesh, and who holds which. */
export interface CompiledMesh {
  readonly revision: number;
  /** By key. */
  readonly resources: ReadonlyMap<string, CompiledResource>;
  /** By id; `everything` is always there. */
  readonly scopes: ReadonlyMap<string, ScopeView>;
  /** By node id. */
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly rejected: readonly RejectedCompile[];
  /** The policies that the routes follow: the current ones, and of those that are rejected the last that could be used. */
  readonly policiesInForce: PoliciesInForce;
}

/** What stays in force of an object that can no longer be compiled. */
export type CompiledBefore = Pick<CompiledMesh, "resources" | "nodes" | "policiesInForce">;

export const nothingBefore: CompiledBefore = { resources: new Map(), nodes: new Map(), policiesInForce: new Map() };

/**
 * Compiles the whole mesh: pure, and deterministic to the byte whatever the order of the catalogue's maps.
 *
 * No view holds a route to a cluster that it lacks. An object that cannot be used is in `rejected`, and what `before` has of it stays;
 * everything else is compiled.
 */
export function compile(catalogue: Catalogue, before: CompiledBefore = nothingBefore): CompiledMesh {
  const { revision } = catalogue;
  const rejected: RejectedCompile[] = [];
  const set = new CompiledSet(before.resources);
  const { plans, inForce, ...planned } = planAndCompileServices(catalogue, before.policiesInForce, set, rejected);
  rejected.push(...planned.rejected);

  const scopes = new Map<string, ScopeView>();
  const addScope = (id: string, interfaces: ReadonlySet<string> | undefined) => {
    if (!scopes.has(id)) scopes.set(id, compileScope(id, interfaces, plans, set, revision));
  };
  addScope(everythingId, undefined);
  for (const { service } of scopeContent(undefined, plans).shadowed) {
    rejected.push({
      provenance: { kind: "service", key: serviceKey(service) },
      code: "FL_SERVICE_NAME_TAKEN",
      message: `${service.interface} cannot be called by name: another service's interface is the same but for upper and lower case`,
    });
  }

  const interfaces = interfacesByNode(catalogue.subscriptions.values());
  const instancesByNode = Map.groupBy(catalogue.instances.values(), (instance) => instance.nodeId);
  const nodes = new Map<string, NodeView>();
  for (const node of catalogue.nodes.values()) {
    const calls = interfaces.get(node.id);
    const scopeId = scopeIdOf(calls ?? new Set());
    addScope(scopeId, calls);
    try {
      const resources = compileNode(node, instancesByNode.get(node.id) ?? [], revision);
      nodes.set(node.id, { nodeId: node.id, scopeId, keys: set.addAll(resources) });
    } catch (caught) {
      rejected.push(rejection({ kind: "node", key: node.id }, caught));
      const keys = set.keep(before.nodes.get(node.id)?.keys ?? []);
      nodes.set(node.id, { nodeId: node.id, scopeId, keys });
    }
  }
  return { revision, resources: set.byKey, scopes, nodes, rejected, policiesInForce: inForce };
}

/**
 * Compiles what is the same for every scope. A service that cannot be compiled keeps what it had; one that had nothing is left out,
 * and everything is planned again without it, so that no route leads there.
 */
function planAndCompileServices(
  catalogue: Catalogue,
  lastGood: PoliciesInForce,
  set: CompiledSet,
  rejected: RejectedCompile[],
): ServicePlans {
  const services = new Map(catalogue.services);
  const instances = Map.groupBy(catalogue.instances.values(), serviceKey);
  const failed = new Map<string, RejectedCompile>();
  for (;;) {
    const planned = planServices({ ...catalogue, services }, lastGood);
    let leftOut = false;
    for (const plan of planned.plans) {
      const key = serviceKey(plan.service);
      try {
        set.addAll(compileService(plan, planned.plans, instances.get(key) ?? [], catalogue));
      } catch (caught) {
        failed.set(key, rejection({ kind: "service", key }, caught));
        if (!set.keepService(plan)) leftOut = services.delete(key);
      }
    }
    if (leftOut) continue;
    rejected.push(...failed.values());
    return planned;
  }
}

/** Clusters, endpoints, and the API listeners of proxyless clients. */
function compileService(
  plan: ServicePlan,
  plans: readonly ServicePlan[],
  instances: readonly Instance[],
  { revision, nodes }: Catalogue,
): CompiledResource[] {
  const resources = [...outboundClusters(plan, revision), ...loadAssignments(plan, instances, nodes, revision)];
  if (speaksHttp2(plan.service.protocol) && isApiOwner(plan, plans)) {
    resources.push(apiListener(plan.service, revision), apiRoutes(plan, revision));
  }
  return resources;
}

/** gRPC clients dial a name, not a protocol: grpc's plan has it where an interface is there over http2 as well. */
function isApiOwner(plan: ServicePlan, plans: readonly ServicePlan[]): boolean {
  return (
    plan.service.protocol === "grpc" ||
    !plans.some((other) => other.service.protocol === "grpc" && other.service.interface === plan.service.interface)
  );
}

function compileScope(
  id: string,
  interfaces: ReadonlySet<string> | undefined,
  plans: readonly ServicePlan[],
  set: CompiledSet,
  revision: number,
): ScopeView {
  const { routed, clusters } = scopeContent(interfaces, plans);
  const keys = set.addAll([outboundRoutes(id, routed, revision)]);
  for (const name of clusters) keys.add(`cds/${name}`).add(`eds/${name}`);
  for (const { service } of plans) {
    const visible = interfaces === undefined || interfaces.has(service.interface.toLowerCase());
    if (!visible || !speaksHttp2(service.protocol)) continue;
    for (const key of [`lds/api/${service.interface}`, `rds/api/${service.interface}`])
      if (set.byKey.has(key)) keys.add(key);
  }
  return { id, keys };
}

/** What only this node's proxy holds: its listeners, and the way to its application. */
function compileNode(node: MeshNode, instances: readonly Instance[], revision: number): CompiledResource[] {
  const resources: CompiledResource[] = [];
  if (node.outboundPort !== undefined) resources.push(outboundListener(node, node.outboundPort, revision));
  if (node.inboundPort === undefined) return resources;
  const http = instances.filter(({ protocol }) => httpRank(protocol) !== undefined);
  resources.push(inboundListener(node, node.inboundPort, revision), inboundRoutes(node.id, http, revision));
  for (const [port, members] of Map.groupBy(http, (instance) => instance.port)) {
    const http2 = members.every(({ protocol }) => speaksHttp2(protocol));
    resources.push(inboundCluster(node.id, port, http2, revision));
  }
  return resources;
}
