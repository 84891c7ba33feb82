import { FairleadError } from "@fairlead/errors";
import { computation } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import { type DestinationRule, type TrafficPolicy, typedPolicy, wildcardsOf } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import type { Callee } from "../callee.ts";
import { speaksHttp2 } from "../names.ts";
import { provenanceOf, type RejectedObject } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { rulesOfHost } from "./facts.ts";
import { resolveHost } from "./host-resolution.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { conflict } from "./service-entries.ts";
import { servicesCalled } from "./services.ts";

export interface RuleInForce {
  readonly rule: DestinationRule;
  readonly namespace: string;
  readonly provenance: ProvenanceEntry;
}

/** Key: that of the policy. */
export const destinationRule = contribution<PolicyInUse<RuleInForce>>(
  "DestinationRule",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => {
      const typed = typedPolicy(policy);
      if (typed.kind !== "DestinationRule") throw new Error(`${key} is a ${typed.kind}`);
      const name = resolveHost(reading, typed.spec.host, policy.namespace);
      checkRule(policy, typed.spec, reading.get(servicesCalled, name));
      return { rule: typed.spec, namespace: policy.namespace, provenance: provenanceOf(policy) };
    }),
);

/** The rules that name this host and no other. Key: the name, or a wildcard, in lower case. */
const rulesNaming = computation("DestinationRules naming", (reading, name): readonly RuleInForce[] =>
  reading.get(rulesOfHost, name).flatMap((key) => {
    const { use } = reading.get(destinationRule, key);
    return use !== undefined && resolveHost(reading, use.rule.host, use.namespace) === name ? [use] : [];
  }),
);

/**
 * The rules in force of a name in lower case, by namespace and name: those that name it, or, where there is none, those of the narrowest
 * wildcard above it.
 */
export const rulesInForce = computation("DestinationRules in force", (reading, name): readonly RuleInForce[] => {
  for (const candidate of [name, ...wildcardsOf(name), "*"]) {
    const rules = reading.get(rulesNaming, candidate);
    if (rules.length > 0) return rules;
  }
  return [];
});

/** What of a rule is not in force because another of the same host has it. Key: the name in lower case. */
export const ruleConflicts = contribution<Contribution>(
  "conflicts of DestinationRules",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const rejected: RejectedObject[] = [];
    const subsets = new Map<string, RuleInForce>();
    let policy: RuleInForce | undefined;
    for (const one of reading.get(rulesNaming, name)) {
      if (one.rule.trafficPolicy !== undefined) {
        if (policy !== undefined)
          rejected.push(conflict(one.provenance, `the traffic policy of ${name} is that of ${policy.provenance.key}`));
        policy ??= one;
      }
      for (const subset of one.rule.subsets) {
        const first = subsets.get(subset.name);
        if (first === undefined) subsets.set(subset.name, one);
        else
          rejected.push(
            conflict(one.provenance, `the subset ${subset.name} of ${name} is that of ${first.provenance.key}`),
          );
      }
    }
    return { rejected };
  },
);

function unsupported(policy: PolicyObject, code: `FL_${string}`, what: string): FairleadError {
  return new FairleadError(code, `DestinationRule ${policy.namespace}/${policy.name}: ${what}`, {
    facts: { file: policy.file, line: policy.line },
  });
}

function checkRule(policy: PolicyObject, rule: DestinationRule, callees: readonly Callee[]): void {
  for (const one of [rule.trafficPolicy, ...rule.subsets.map(({ trafficPolicy }) => trafficPolicy)]) {
    if (one !== undefined) checkPolicy(policy, one, callees);
  }
}

function checkPolicy(policy: PolicyObject, traffic: TrafficPolicy, callees: readonly Callee[]): void {
  const registered = callees.find(({ port }) => port === undefined);
  if (registered !== undefined && (traffic.portLevelSettings ?? []).length > 0)
    throw unsupported(
      policy,
      "FL_POLICY_UNSUPPORTED",
      `portLevelSettings for ${registered.interface}, which is registered and has no port of its own`,
    );
  for (const { loadBalancer, tls } of [traffic, ...(traffic.portLevelSettings ?? [])]) {
    // Nobody hands secrets out: a cluster that waits for one takes no call.
    if (tls?.mode === "ISTIO_MUTUAL" || tls?.credentialName !== undefined)
      throw unsupported(
        policy,
        "FL_POLICY_UNSUPPORTED",
        `tls ${tls.mode === "ISTIO_MUTUAL" ? "of mode ISTIO_MUTUAL" : "with credentialName"}: the mesh hands out no certificates yet`,
      );
    const http2 = callees.find(({ protocol }) => speaksHttp2(protocol));
    const { simple = "ROUND_ROBIN", consistentHash } = loadBalancer ?? {};
    const balancer = consistentHash?.maglev === undefined ? simple : "consistentHash.maglev";
    if (http2 !== undefined && balancer !== "ROUND_ROBIN")
      throw unsupported(
        policy,
        "FL_POLICY_LOAD_BALANCER_UNSUPPORTED",
        `${balancer} for ${http2.interface}, a service of ${http2.protocol}: gRPC clients know ROUND_ROBIN and ring hashes only`,
      );
  }
}
