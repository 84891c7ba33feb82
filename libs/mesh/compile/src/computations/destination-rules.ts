import { FairleadError } from "@fairlead/errors";
import { computation } from "@fairlead/incremental";
import { type PolicyObject, type Service } from "@fairlead/model";
import { type DestinationRule, typedPolicy } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { speaksHttp2 } from "../names.ts";
import { provenanceOf } from "../service-plan.ts";
import { contribution } from "./contribution.ts";
import { rulesOfHost } from "./facts.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { servicesCalled } from "./services.ts";

export interface RuleInForce {
  readonly rule: DestinationRule;
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
      checkLoadBalancer(policy, typed.spec, reading.get(servicesCalled, typed.spec.host.toLowerCase()));
      return { rule: typed.spec, provenance: provenanceOf(policy) };
    }),
);

/** The rules in force of an interface in lower case, by namespace and name. */
export const rulesInForce = computation("DestinationRules in force", (reading, name): readonly RuleInForce[] =>
  reading.get(rulesOfHost, name).flatMap((key) => {
    const { use } = reading.get(destinationRule, key);
    return use?.rule.host.toLowerCase() === name ? [use] : [];
  }),
);

function checkLoadBalancer(policy: PolicyObject, rule: DestinationRule, services: readonly Service[]): void {
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
}
