import { createHash } from "node:crypto";
import type { Subscription } from "@fairlead/model";
import { httpRank, outboundClusterName } from "./names.ts";
import { compareText, type ServicePlan } from "./service-plan.ts";

/** The scope of nodes that have not said what they call. */
export const everythingId = "everything";

/** @param interfaces lower-case */
export function scopeIdOf(interfaces: ReadonlySet<string>): string {
  if (interfaces.size === 0) return everythingId;
  const sorted = [...interfaces].toSorted(compareText).join("\n");
  return createHash("sha256").update(sorted).digest("hex").slice(0, 16);
}

/** What each node calls, in lower case. Nodes that are not in the map see everything. */
export function interfacesByNode(subscriptions: Iterable<Subscription>): Map<string, Set<string>> {
  const byNode = new Map<string, Set<string>>();
  for (const { nodeId, interface: name } of subscriptions) {
    const interfaces = byNode.get(nodeId) ?? new Set();
    interfaces.add(name.toLowerCase());
    byNode.set(nodeId, interfaces);
  }
  return byNode;
}

/** What a scope holds of the services. */
export interface ScopeContent {
  /** Those with a virtual host, by interface; one of each interface. */
  readonly routed: readonly ServicePlan[];
  /** The names of their clusters, and of all clusters that their routes lead to. */
  readonly clusters: ReadonlySet<string>;
  /** Services that have no virtual host because another's interface is the same but for upper and lower case. */
  readonly shadowed: readonly ServicePlan[];
}

/**
 * @param interfaces what the scope sees; undefined = everything
 * @param plans all services, sorted
 */
export function scopeContent(interfaces: ReadonlySet<string> | undefined, plans: readonly ServicePlan[]): ScopeContent {
  const visible =
    interfaces === undefined ? plans : plans.filter(({ service }) => interfaces.has(service.interface.toLowerCase()));
  const routed = new Map<string, ServicePlan>();
  for (const plan of visible) {
    const rank = httpRank(plan.service.protocol);
    if (rank === undefined) continue;
    const name = plan.service.interface.toLowerCase();
    const other = routed.get(name);
    // An interface over several of HTTP's protocols has one virtual host: the plainest protocol's.
    if (other === undefined || rank < httpRank(other.service.protocol)!) routed.set(name, plan);
  }
  const clusters = new Set<string>();
  for (const { service, subsets } of visible) {
    clusters.add(outboundClusterName(service));
    for (const { name } of subsets) clusters.add(outboundClusterName(service, name));
  }
  // Of all that are visible: an API listener has routes also where another protocol has the virtual host.
  for (const { routes } of visible) {
    for (const { destinations } of routes) {
      for (const { service, subset } of destinations) clusters.add(outboundClusterName(service, subset));
    }
  }
  const shadowed = visible.filter(({ service }) => {
    const winner = routed.get(service.interface.toLowerCase());
    return httpRank(service.protocol) !== undefined && winner?.service.interface !== service.interface;
  });
  return { routed: [...routed].toSorted(([a], [b]) => compareText(a, b)).map(([, plan]) => plan), clusters, shadowed };
}
