import { FairleadError } from "@fairlead/errors";
import { computation, type Reading } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import { type DestinationRule, type TrafficPolicy, typedPolicy } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import type { Callee } from "../callee.ts";
import { rulePlaceQuestions, ruleQuestions } from "../policy-questions.ts";
import type { Question, Sight } from "../viewer.ts";
import { provenanceOf, type RejectedObject } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { rulesOfHost } from "./facts.ts";
import { resolveHost } from "./host-resolution.ts";
import { namesAbove } from "./names-above.ts";
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
  for (const candidate of [...namesAbove(reading, name), "*"]) {
    const rules = reading.get(rulesNaming, candidate);
    if (rules.length > 0) return rules;
  }
  return [];
});

/** A rule that is for all callers hides those of wider names. */
const isForAll = ({ rule }: RuleInForce) => rule.workloadSelector === undefined && rule.exportTo.includes("*");

/** All rules that a caller of a name may go by, level by level. Key: the name in lower case. */
const ruleLevels = computation("levels of DestinationRules", (reading, name): readonly (readonly RuleInForce[])[] => {
  const levels: (readonly RuleInForce[])[] = [];
  for (const candidate of [...namesAbove(reading, name), "*"]) {
    const rules = reading.get(rulesNaming, candidate);
    if (rules.length > 0) levels.push(rules);
    if (rules.some(isForAll)) break;
  }
  return levels;
});

/** What the rules of a name ask of who calls: whom they are for, and where the caller is. Key: the name in lower case. */
export const questionsOfRules = computation("questions of DestinationRules", (reading, name) => {
  const rules = reading.get(ruleLevels, name).flat();
  const each = (ask: (rule: DestinationRule) => readonly Question[]) =>
    [...new Set(rules.flatMap(({ rule }) => ask(rule)))].toSorted();
  return { who: each(ruleQuestions), where: each(rulePlaceQuestions) };
});

/**
 * The rules that a caller goes by, those that select it first; those of wider names only where there is none.
 *
 * @returns those of the narrowest level that has any for it
 */
export function rulesSeenBy(reading: Reading, name: string, sight: Sight): readonly RuleInForce[] {
  for (const level of reading.get(ruleLevels, name)) {
    const seen = level.filter(({ rule, namespace }) =>
      rule.workloadSelector === undefined
        ? sight.sees(rule.exportTo, namespace)
        : sight.namespace === namespace && sight.meets(rule.workloadSelector.matchLabels),
    );
    const selects = (one: RuleInForce) => Number(one.rule.workloadSelector === undefined);
    if (seen.length > 0) return seen.toSorted((a, b) => selects(a) - selects(b));
  }
  return [];
}

/** Whether there may be callers for whom both are in force, on one level of precedence. */
function meet(one: RuleInForce, other: RuleInForce): boolean {
  const [a, b] = [one.rule.workloadSelector, other.rule.workloadSelector];
  if (a !== undefined || b !== undefined)
    return JSON.stringify(a) === JSON.stringify(b) && one.namespace === other.namespace;
  const namespaces = ({ rule, namespace }: RuleInForce) => rule.exportTo.map((to) => (to === "." ? namespace : to));
  const theirs = new Set(namespaces(other));
  return namespaces(one).some((to) => to === "*" || theirs.has("*") || theirs.has(to));
}

/** What of a rule is not in force because another of the same host has it. Key: the name in lower case. */
export const ruleConflicts = contribution<Contribution>(
  "conflicts of DestinationRules",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const rejected: RejectedObject[] = [];
    const subsets = new Map<string, RuleInForce>();
    const policies: RuleInForce[] = [];
    for (const one of reading.get(rulesNaming, name)) {
      if (one.rule.trafficPolicy !== undefined) {
        const policy = policies.find((first) => meet(first, one));
        if (policy !== undefined)
          rejected.push(conflict(one.provenance, `the traffic policy of ${name} is that of ${policy.provenance.key}`));
        policies.push(one);
      }
      for (const subset of one.rule.subsets) {
        const first = subsets.get(subset.name);
        if (first === undefined) subsets.set(subset.name, one);
        else if (meet(first, one))
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
  for (const { tls } of [traffic, ...(traffic.portLevelSettings ?? [])]) {
    // Nobody hands secrets out: a cluster that waits for one takes no call.
    if (tls?.mode === "ISTIO_MUTUAL" || tls?.credentialName !== undefined)
      throw unsupported(
        policy,
        "FL_POLICY_UNSUPPORTED",
        `tls ${tls.mode === "ISTIO_MUTUAL" ? "of mode ISTIO_MUTUAL" : "with credentialName"}: the mesh hands out no certificates yet`,
      );
  }
}
