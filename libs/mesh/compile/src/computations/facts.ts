import { indexOf, input } from "@fairlead/incremental";
import {
  type Instance,
  type MeshNode,
  type PolicyObject,
  type Service,
  serviceKey,
  type Subscription,
} from "@fairlead/model";
import { typedPolicy } from "@fairlead/policy";

// What the mesh is compiled from, by the keys of the catalogue. `IncrementalCompiler` sets it.

export const nodes = input<MeshNode>("node");
export const services = input<Service>("service");
export const instances = input<Instance>("instance");
export const subscriptions = input<Subscription>("subscription");

/** A policy as it is now, and as it was when it last could be used. */
export interface PolicyCandidates {
  readonly current: PolicyObject;
  /** Undefined when it never could; the current one when that could. */
  readonly lastGood: PolicyObject | undefined;
}
export const policies = input<PolicyCandidates>("policy");

/** The group of all keys of an input. */
export const all = "";

export const allServices = indexOf("services", services, () => [all]);

/** By the interface in lower case. */
export const servicesOfInterface = indexOf("services of an interface", services, (service) => [
  service.interface.toLowerCase(),
]);
export const instancesOfService = indexOf("instances of a service", instances, (instance) => [serviceKey(instance)]);
export const instancesOfNode = indexOf("instances of a node", instances, (instance) => [instance.nodeId]);
export const subscriptionsOfNode = indexOf("subscriptions of a node", subscriptions, ({ nodeId }) => [nodeId]);

/**
 * The policies that name a host, in lower case, in either of their candidates: which one is in force is for the reader to ask.
 * A text that cannot be read names nothing.
 */
export const rulesOfHost = indexOf("DestinationRules of a host", policies, (candidates) =>
  hostsOf(candidates, "DestinationRule"),
);
export const virtualServicesOfHost = indexOf("VirtualServices of a host", policies, (candidates) =>
  hostsOf(candidates, "VirtualService"),
);

function hostsOf({ current, lastGood }: PolicyCandidates, kind: PolicyObject["kind"]): Set<string> {
  if (current.kind !== kind) return new Set();
  return new Set([current, lastGood].flatMap((policy) => (policy === undefined ? [] : namedHosts(policy))));
}

function namedHosts(policy: PolicyObject): string[] {
  try {
    const typed = typedPolicy(policy);
    if (typed.kind === "DestinationRule") return [typed.spec.host.toLowerCase()];
    if (typed.kind === "VirtualService") return typed.spec.hosts.map((host) => host.toLowerCase());
    return [];
  } catch {
    return [];
  }
}
