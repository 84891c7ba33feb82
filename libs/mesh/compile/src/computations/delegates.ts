import { computation, type Reading } from "@fairlead/incremental";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { type HttpRoute, typedPolicy } from "@fairlead/policy";
import { FairleadError } from "@fairlead/errors";
import { mergedRoutes } from "../delegate-merge.ts";
import { policies } from "./facts.ts";

/** The routes of a delegate as its text has them now, or where that cannot be read as it last could be. Key: the policy's. */
const delegateRoutes = computation("routes of a delegate", (reading, key): readonly HttpRoute[] | undefined => {
  const candidates = reading.get(policies, key);
  for (const policy of [candidates?.current, candidates?.lastGood]) {
    if (policy === undefined) continue;
    try {
      const typed = typedPolicy(policy);
      if (typed.kind === "VirtualService" && typed.spec.hosts.length === 0) return typed.spec.http;
    } catch {
      // Its own contribution says what is wrong with it.
    }
  }
  return undefined;
});

/**
 * The routes with those of delegates in the place of the routes that name them.
 *
 * @throws FairleadError FL_POLICY_DESTINATION_UNKNOWN when a delegate is not there
 */
export function withDelegates(reading: Reading, policy: PolicyObject, http: readonly HttpRoute[]): HttpRoute[] {
  return http.flatMap((root) => {
    if (root.delegate === undefined) return [root];
    const { name = "", namespace = policy.namespace } = root.delegate;
    const found = reading.get(delegateRoutes, policyKey({ kind: "VirtualService", namespace, name }));
    if (found === undefined)
      throw new FairleadError(
        "FL_POLICY_DESTINATION_UNKNOWN",
        `${policy.kind} ${policy.namespace}/${policy.name}: there is no VirtualService ${namespace}/${name} without hosts to delegate to`,
        { facts: { file: policy.file, line: policy.line } },
      );
    return mergedRoutes(root, found);
  });
}
