import { FairleadError } from "@fairlead/errors";
import { type Catalogue, type PolicyObject, policyKey, type Service } from "@fairlead/model";
import { type HttpRoute, type LoadBalancer, type Subset, typedPolicy } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { httpRank } from "./names.ts";
import "./errors.ts";

/** A route of a VirtualService whose destinations all exist. */
export interface PlannedRoute {
  readonly route: HttpRoute;
  /** In the order of `route.route`. */
  readonly destinations: readonly { readonly service: Service; readonly subset: string; readonly weight: number }[];
  readonly provenance: ProvenanceEntry;
}

/** A service with all that policies say of it: what clusters and routes are compiled from. */
export interface ServicePlan {
  readonly service: Service;
  readonly loadBalancer: LoadBalancer;
  readonly subsets: readonly Subset[];
  /** Of its DestinationRules. */
  readonly ruleProvenance: readonly ProvenanceEntry[];
  /** Empty: no VirtualService, all calls go to the service itself. */
  readonly routes: readonly PlannedRoute[];
}

export interface RejectedPolicy {
  readonly provenance: ProvenanceEntry;
  readonly code: string;
  readonly message: string;
}

export function provenanceOf(policy: PolicyObject): ProvenanceEntry {
  return { kind: "policy", key: policyKey(policy), file: policy.file, line: policy.line };
}

interface MutablePlan extends ServicePlan {
  loadBalancer: LoadBalancer;
  subsets: Subset[];
  ruleProvenance: ProvenanceEntry[];
  routes: PlannedRoute[];
}

/** `a.B` in any case → the services of that interface, HTTP's protocols first, the plainest before the others. */
function byInterface(services: readonly Service[]): Map<string, Service[]> {
  const found = new Map<string, Service[]>();
  for (const service of services) {
    const name = service.interface.toLowerCase();
    found.set(name, [...(found.get(name) ?? []), service]);
  }
  const rank = (service: Service) => httpRank(service.protocol) ?? Number.MAX_SAFE_INTEGER;
  for (const list of found.values()) {
    list.sort(
      (a, b) => rank(a) - rank(b) || compareText(a.protocol, b.protocol) || compareText(a.interface, b.interface),
    );
  }
  return found;
}

/** By code unit: the same order on every machine, whatever its locale. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * Applies the policies to the services. Rules and VirtualServices of one host are taken in the order of namespace and name: a
 * subset that two rules name is the first one's, routes are tried in that order.
 *
 * @returns a plan for each service, by interface and protocol; and what cannot be used, with its reason
 */
export function planServices(catalogue: Catalogue): {
  plans: readonly ServicePlan[];
  rejected: readonly RejectedPolicy[];
} {
  const services = [...catalogue.services.values()].toSorted(
    (a, b) => compareText(a.interface, b.interface) || compareText(a.protocol, b.protocol),
  );
  const plans = new Map<Service, MutablePlan>(
    services.map((service) => [
      service,
      { service, loadBalancer: "ROUND_ROBIN", subsets: [], ruleProvenance: [], routes: [] },
    ]),
  );
  const interfaces = byInterface(services);
  const rejected: RejectedPolicy[] = [];
  const policies = [...catalogue.policies.values()].toSorted((a, b) => compareText(policyKey(a), policyKey(b)));

  const each = (kind: PolicyObject["kind"], apply: (policy: PolicyObject) => void) => {
    for (const policy of policies.filter((candidate) => candidate.kind === kind)) {
      try {
        apply(policy);
      } catch (caught) {
        const error = FairleadError.from(caught);
        const code = error.code === "FL_INTERNAL" ? "FL_COMPILE_FAILED" : error.code;
        rejected.push({ provenance: provenanceOf(policy), code, message: error.message });
      }
    }
  };

  each("DestinationRule", (policy) => {
    const typed = typedPolicy(policy);
    if (typed.kind !== "DestinationRule") return;
    const { host, trafficPolicy, subsets } = typed.spec;
    for (const service of interfaces.get(host.toLowerCase()) ?? []) {
      const plan = plans.get(service)!;
      if (plan.ruleProvenance.length === 0)
        plan.loadBalancer = trafficPolicy?.loadBalancer?.simple ?? plan.loadBalancer;
      plan.subsets.push(...subsets.filter(({ name }) => !plan.subsets.some((known) => known.name === name)));
      plan.ruleProvenance.push(provenanceOf(policy));
    }
  });

  each("VirtualService", (policy) => {
    const typed = typedPolicy(policy);
    if (typed.kind !== "VirtualService") return;
    const provenance = provenanceOf(policy);
    // All of its routes are resolved before one is used: a VirtualService is in force as a whole or not at all.
    const routes = typed.spec.http.map((route) => ({
      route,
      provenance,
      destinations: (route.route ?? []).map(({ destination, weight }) => {
        const service = interfaces
          .get(destination.host.toLowerCase())
          ?.find((candidate) => httpRank(candidate.protocol) !== undefined);
        if (service === undefined)
          throw unknownDestination(policy, `the service ${destination.host} is not registered, or speaks no HTTP`);
        const subset = destination.subset ?? "";
        if (subset !== "" && !plans.get(service)!.subsets.some(({ name }) => name === subset)) {
          throw unknownDestination(policy, `no DestinationRule of ${destination.host} has the subset ${subset}`);
        }
        return { service, subset, weight: weight ?? 100 };
      }),
    }));
    for (const host of new Set(typed.spec.hosts.map((name) => name.toLowerCase()))) {
      for (const service of interfaces.get(host) ?? []) plans.get(service)!.routes.push(...routes);
    }
  });

  return { plans: [...plans.values()], rejected };
}

function unknownDestination(policy: PolicyObject, what: string): FairleadError {
  return new FairleadError(
    "FL_POLICY_DESTINATION_UNKNOWN",
    `${policy.kind} ${policy.namespace}/${policy.name}: ${what}`,
    {
      facts: { file: policy.file, line: policy.line },
    },
  );
}
