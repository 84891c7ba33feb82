import type { Reading } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import { provenanceOf, rejection } from "../service-plan.ts";
import type { Contribution } from "./contribution.ts";
import { policies } from "./facts.ts";

/** What a policy is used as. */
export interface PolicyInUse<Use> extends Contribution {
  /** Undefined when neither the policy nor what it said before can be used. */
  readonly use?: Use | undefined;
}

/**
 * Uses a policy as it is, or, where that cannot be, as it was when it last could be; the reason is what is rejected.
 *
 * @param use throws when the policy cannot be used: it is used as a whole or not at all
 */
export function policyInUse<Use>(reading: Reading, key: string, use: (policy: PolicyObject) => Use): PolicyInUse<Use> {
  const candidates = reading.get(policies, key);
  if (candidates === undefined) return {};
  const { current, lastGood } = candidates;
  try {
    return { inForce: current, use: use(current) };
  } catch (caught) {
    const rejected = [rejection(provenanceOf(current), caught)];
    if (lastGood === undefined || lastGood.text === current.text) return { rejected };
    try {
      return { inForce: lastGood, use: use(lastGood), rejected };
    } catch {
      return { rejected };
    }
  }
}
