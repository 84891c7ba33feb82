import { indexOf, input } from "@fairlead/incremental";
import {
  type Instance,
  type MeshNode,
  type PolicyKind,
  type PolicyObject,
  type Service,
  serviceKey,
  type Subscription,
} from "@fairlead/model";
import { hostCandidates, lastPartOf, meshGateway, typedPolicy } from "@fairlead/policy";
import { policyQuestions } from "../policy-questions.ts";

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
export const policiesOfKind = indexOf("policies of a kind", policies, ({ current }) => [current.kind]);
export const allNodes = indexOf("nodes", nodes, () => [all]);
export const allServiceEntries = indexOf("ServiceEntries", policies, ({ current }) =>
  current.kind === "ServiceEntry" ? [all] : [],
);

/** By the interface in lower case. */
export const servicesOfInterface = indexOf("services of an interface", services, (service) => [
  service.interface.toLowerCase(),
]);
export const instancesOfService = indexOf("instances of a service", instances, (instance) => [serviceKey(instance)]);
export const instancesOfNode = indexOf("instances of a node", instances, (instance) => [instance.nodeId]);
export const subscriptionsOfNode = indexOf("subscriptions of a node", subscriptions, ({ nodeId }) => [nodeId]);

/**
 * The policies that name a host, in lower case, in either of their candidates: which one is in force is for the reader to ask, and
 * which of the interfaces that the name may mean it means. A text that cannot be read names nothing.
 */
export const rulesOfHost = policiesBy("DestinationRules of a host", ["DestinationRule"], hostsNamed);
export const virtualServicesOfHost = policiesBy("VirtualServices of a host", ["VirtualService"], hostsNamed);
/** Those of either kind that name a wildcard, by the part behind its last dot. */
export const wildcardsOfPart = policiesBy(
  "wildcards of a part",
  ["DestinationRule", "VirtualService"],
  (policy) => hostsNamed(policy).filter((host) => host.startsWith("*.")).map(lastPartOf), // prettier-ignore
);
export const serviceEntriesOfHost = policiesBy("ServiceEntries of a host", ["ServiceEntry"], (policy) => {
  const typed = typedPolicy(policy);
  return typed.kind === "ServiceEntry" ? typed.spec.hosts.map((host) => host.toLowerCase()) : [];
});

/** Policies that are not the same for all who call. */
export const askingPolicies = indexOf("asking policies", policies, ({ current, lastGood }) =>
  [current, lastGood].some((policy) => policy !== undefined && isAsking(policy)) ? [all] : [],
);

function isAsking(policy: PolicyObject): boolean {
  try {
    return policyQuestions(typedPolicy(policy)).length > 0;
  } catch {
    return false;
  }
}

/** By the key of the Gateway. */
export const virtualServicesOfGateway = policiesBy("VirtualServices of a Gateway", ["VirtualService"], (policy) => {
  const typed = typedPolicy(policy);
  if (typed.kind !== "VirtualService") return [];
  return typed.spec.gateways.filter((name) => name !== meshGateway).map((name) => gatewayKey(name, policy.namespace));
});

/** By one of the labels that it selects by. */
export const gatewaysOfLabel = policiesBy("Gateways of a label", ["Gateway"], (policy) => {
  const typed = typedPolicy(policy);
  return typed.kind === "Gateway" ? firstLabel(typed.spec.selector) : [];
});

/** By namespace. */
export const sidecarsOfNamespace = policiesBy("Sidecars of a namespace", ["Sidecar"], (policy) => [policy.namespace]);

export const nodesOfLabel = indexOf("nodes of a label", nodes, ({ labels }) =>
  Object.entries(labels).map(([name, value]) => labelText(name, value)),
);

export function labelText(name: string, value: string): string {
  return `${name}=${value}`;
}

function firstLabel(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels)
    .map(([name, value]) => labelText(name, value))
    .toSorted()
    .slice(0, 1);
}

/** @param name as a VirtualService of that namespace writes it: `gateway`, or `namespace/gateway` */
export function gatewayKey(name: string, namespace: string): string {
  return `Gateway/${name.includes("/") ? name : `${namespace}/${name}`}`;
}

function hostsNamed(policy: PolicyObject): readonly string[] {
  const typed = typedPolicy(policy);
  if (typed.kind === "DestinationRule") return hostCandidates(typed.spec.host, policy.namespace);
  if (typed.kind !== "VirtualService") return [];
  return typed.spec.hosts.flatMap((host) => hostCandidates(host, policy.namespace));
}

function policiesBy(name: string, kinds: readonly PolicyKind[], groupsOf: (policy: PolicyObject) => readonly string[]) {
  return indexOf(name, policies, ({ current, lastGood }) => {
    if (!kinds.includes(current.kind)) return [];
    const candidates = lastGood === undefined ? [current] : [current, lastGood];
    return new Set(
      candidates.flatMap((policy) => {
        try {
          return groupsOf(policy);
        } catch {
          return [];
        }
      }),
    );
  });
}
