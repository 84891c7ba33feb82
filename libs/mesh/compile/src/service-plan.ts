import { FairleadError } from "@fairlead/errors";
import { type Catalogue, type PolicyObject, policyKey, type Service } from "@fairlead/model";
import {
  type DestinationRule,
  type HttpRoute,
  type LoadBalancer,
  type Subset,
  typedPolicy,
  type VirtualService,
} from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { httpRank, speaksHttp2 } from "./names.ts";
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

/** An object that cannot be used now, with the reason. */
export interface RejectedObject {
  readonly provenance: ProvenanceEntry;
  readonly code: string;
  readonly message: string;
}

export function rejection(provenance: ProvenanceEntry, caught: unknown): RejectedObject {
  const error = FairleadError.from(caught);
  return { provenance, code: error.code === "FL_INTERNAL" ? "FL_COMPILE_FAILED" : error.code, message: error.message };
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

/** What compiling may fall back on: the policies that were in force before, by key. */
export type PoliciesInForce = ReadonlyMap<string, PolicyObject>;

export interface ServicePlans {
  /** By interface and protocol. */
  readonly plans: readonly ServicePlan[];
  readonly rejected: readonly RejectedObject[];
  /** The policies that the plans follow: the current ones, and for those that cannot be used the last that could. */
  readonly inForce: PoliciesInForce;
}

/**
 * Applies the policies to the services. Rules and VirtualServices of one host are taken in the order of namespace and name: a
 * subset that two rules name is the first one's, routes are tried in that order.
 *
 * A policy that cannot be used is rejected, and what it said when it last could be used stays in force, as long as that can be.
 */
export function planServices(catalogue: Catalogue, lastGood: PoliciesInForce): ServicePlans {
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
  const rejected: RejectedObject[] = [];
  const inForce = new Map<string, PolicyObject>();
  const policies = [...catalogue.policies.values()].toSorted((a, b) => compareText(policyKey(a), policyKey(b)));

  const each = (kind: PolicyObject["kind"], apply: (policy: PolicyObject) => void) => {
    for (const policy of policies.filter((candidate) => candidate.kind === kind)) {
      const key = policyKey(policy);
      const before = lastGood.get(key);
      const candidates = before === undefined || before.text === policy.text ? [policy] : [policy, before];
      for (const candidate of candidates) {
        try {
          apply(candidate);
          inForce.set(key, candidate);
          break;
        } catch (caught) {
          if (candidate === policy) rejected.push(rejection(provenanceOf(policy), caught));
        }
      }
    }
  };

  each("DestinationRule", (policy) => {
    const typed = typedPolicy(policy);
    if (typed.kind === "DestinationRule")
      applyRule(policy, typed.spec, interfaces.get(typed.spec.host.toLowerCase()) ?? [], plans);
  });
  each("VirtualService", (policy) => {
    const typed = typedPolicy(policy);
    if (typed.kind !== "VirtualService") return;
    const hosts = new Set(typed.spec.hosts.map((name) => name.toLowerCase()));
    // All routes are resolved before one is used: a VirtualService is in force as a whole or not at all.
    const resolved = [...hosts]
      .flatMap((host) => interfaces.get(host) ?? [])
      .map((service) => ({ service, routes: resolveRoutes(policy, typed.spec, service, interfaces, plans) }));
    if (resolved.length === 0) resolveRoutes(policy, typed.spec, undefined, interfaces, plans);
    for (const { service, routes } of resolved) plans.get(service)!.routes.push(...routes);
  });

  return { plans: [...plans.values()], rejected, inForce };
}

function applyRule(
  policy: PolicyObject,
  rule: DestinationRule,
  services: readonly Service[],
  plans: ReadonlyMap<Service, MutablePlan>,
): void {
  const balancers = [rule.trafficPolicy, ...rule.subsets.map(({ trafficPolicy }) => trafficPolicy)].map(
    (one) => one?.loadBalancer?.simple,
  );
  const unsupported = balancers.find((balancer) => balancer !== undefined && balancer !== "ROUND_ROBIN");
  const http2 = services.find(({ protocol }) => speaksHttp2(protocol));
  if (unsupported !== undefined && http2 !== undefined) {
    throw new FairleadError(
      "FL_POLICY_LOAD_BALANCER_UNSUPPORTED",
      `DestinationRule ${policy.namespace}/${policy.name}: ${unsupported} for ${http2.interface}, a service of ${http2.protocol}: gRPC clients know ROUND_ROBIN only`,
      { facts: { file: policy.file, line: policy.line } },
    );
  }
  for (const service of services) {
    const plan = plans.get(service)!;
    if (plan.ruleProvenance.length === 0)
      plan.loadBalancer = rule.trafficPolicy?.loadBalancer?.simple ?? plan.loadBalancer;
    plan.subsets.push(...rule.subsets.filter(({ name }) => !plan.subsets.some((known) => known.name === name)));
    plan.ruleProvenance.push(provenanceOf(policy));
  }
}

/** @param caller the service whose routes they are: destinations of its protocol are preferred, a gRPC call cannot be sent to HTTP/1.1 */
function resolveRoutes(
  policy: PolicyObject,
  spec: VirtualService,
  caller: Service | undefined,
  interfaces: ReadonlyMap<string, readonly Service[]>,
  plans: ReadonlyMap<Service, ServicePlan>,
): PlannedRoute[] {
  return spec.http.map((route) => ({
    route,
    provenance: provenanceOf(policy),
    destinations: (route.route ?? []).map(({ destination, weight }) => {
      const candidates = (interfaces.get(destination.host.toLowerCase()) ?? []).filter(
        ({ protocol }) => httpRank(protocol) !== undefined,
      );
      const service = candidates.find(({ protocol }) => protocol === caller?.protocol) ?? candidates[0];
      if (service === undefined) {
        throw unknownDestination(policy, `the service ${destination.host} is not registered, or speaks no HTTP`);
      }
      const subset = destination.subset ?? "";
      if (subset !== "" && !plans.get(service)!.subsets.some(({ name }) => name === subset)) {
        throw unknownDestination(policy, `no DestinationRule of ${destination.host} has the subset ${subset}`);
      }
      return { service, subset, weight: weight ?? 100 };
    }),
  }));
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
