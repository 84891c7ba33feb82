import { type Catalogue, type Instance, type MeshNode, serviceKey } from "@fairlead/model";
import type { CompiledResource, NodeView, ScopeView } from "@fairlead/snapshot";
import { inboundCluster, outboundClusters } from "./cluster.ts";
import { inboundRoutes } from "./inbound-routes.ts";
import { apiListener, inboundListener, outboundListener } from "./listeners.ts";
import { loadAssignments } from "./load-assignment.ts";
import { httpRank, speaksHttp2 } from "./names.ts";
import { apiRoutes, outboundRoutes } from "./outbound-routes.ts";
import { everythingId, interfacesByNode, scopeContent, scopeIdOf } from "./scope.ts";
import { planServices, type RejectedPolicy, type ServicePlan } from "./service-plan.ts";

/** A policy that cannot be used now, with the reason. */
export type RejectedCompile = RejectedPolicy;

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
}

/** Resources under construction; two that claim one key would be a defect of the naming. */
class ResourceSet {
  readonly byKey = new Map<string, CompiledResource>();

  add(resource: CompiledResource): string {
    this.byKey.set(resource.key, resource);
    return resource.key;
  }
}

/**
 * Compiles the whole mesh: pure, and deterministic to the byte whatever the order of the catalogue's maps.
 *
 * No view holds a route to a cluster that it lacks. What a policy asks for and cannot have is in `rejected`; everything else is compiled.
 */
export function compile(catalogue: Catalogue): CompiledMesh {
  const { revision } = catalogue;
  const { plans, rejected } = planServices(catalogue);
  const set = new ResourceSet();
  compileServices(catalogue, plans, set);

  const scopes = new Map<string, ScopeView>();
  const addScope = (id: string, interfaces: ReadonlySet<string> | undefined) => {
    if (!scopes.has(id)) scopes.set(id, compileScope(id, interfaces, plans, set, revision));
  };
  addScope(everythingId, undefined);

  const interfaces = interfacesByNode(catalogue.subscriptions.values());
  const instancesByNode = Map.groupBy(catalogue.instances.values(), (instance) => instance.nodeId);
  const nodes = new Map<string, NodeView>();
  for (const node of catalogue.nodes.values()) {
    const calls = interfaces.get(node.id);
    const scopeId = scopeIdOf(calls ?? new Set());
    addScope(scopeId, calls);
    const keys = compileNode(node, instancesByNode.get(node.id) ?? [], set, revision);
    nodes.set(node.id, { nodeId: node.id, scopeId, keys });
  }
  return { revision, resources: set.byKey, scopes, nodes, rejected };
}

/** What is the same for every scope: clusters, endpoints, and the API listeners of proxyless clients. */
function compileServices(catalogue: Catalogue, plans: readonly ServicePlan[], set: ResourceSet): void {
  const { revision } = catalogue;
  const instances = Map.groupBy(catalogue.instances.values(), serviceKey);
  for (const plan of plans) {
    const own = instances.get(serviceKey(plan.service)) ?? [];
    for (const cluster of outboundClusters(plan, revision)) set.add(cluster);
    for (const assignment of loadAssignments(plan, own, catalogue.nodes, revision)) set.add(assignment);
    if (speaksHttp2(plan.service.protocol) && isApiOwner(plan, plans)) {
      set.add(apiListener(plan.service, revision));
      set.add(apiRoutes(plan, revision));
    }
  }
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
  set: ResourceSet,
  revision: number,
): ScopeView {
  const { routed, clusters } = scopeContent(interfaces, plans);
  const keys = new Set<string>();
  for (const name of clusters) keys.add(`cds/${name}`).add(`eds/${name}`);
  keys.add(set.add(outboundRoutes(id, routed, revision)));
  for (const { service } of plans) {
    const visible = interfaces === undefined || interfaces.has(service.interface.toLowerCase());
    if (visible && speaksHttp2(service.protocol))
      keys.add(`lds/api/${service.interface}`).add(`rds/api/${service.interface}`);
  }
  return { id, keys };
}

/** What only this node's proxy holds: its listeners, and the way to its application. */
function compileNode(node: MeshNode, instances: readonly Instance[], set: ResourceSet, revision: number): Set<string> {
  const keys = new Set<string>();
  if (node.outboundPort !== undefined) keys.add(set.add(outboundListener(node, node.outboundPort, revision)));
  if (node.inboundPort === undefined) return keys;
  const http = instances.filter(({ protocol }) => httpRank(protocol) !== undefined);
  keys.add(set.add(inboundListener(node, node.inboundPort, revision)));
  keys.add(set.add(inboundRoutes(node.id, http, revision)));
  for (const [port, members] of Map.groupBy(http, (instance) => instance.port)) {
    keys.add(
      set.add(
        inboundCluster(
          node.id,
          port,
          members.every(({ protocol }) => speaksHttp2(protocol)),
          revision,
        ),
      ),
    );
  }
  return keys;
}
