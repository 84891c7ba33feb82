import type { Reading } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import { provenanceOf, rejection, type RejectedObject } from "../service-plan.ts";
import type { Contribution } from "./contribution.ts";
import { policies } from "./facts.ts";

/** What a policy is used as. */
export interface PolicyInUse<Use> extends Contribution {
  /** Undefined when neither the policy nor what it said before can be used. */
  readonly use?: Use | undefined;
}

/** How a policy is used of which a part cannot be: what cannot be answers with an error. */
export interface PartlyUsed<Use> {
  /** Throws when no part can be used. */
  readonly use: (policy: PolicyObject) => Use;
  /** Takes the place of `use` for one that was in force: what it said must not become what others say. */
  readonly closed: (policy: PolicyObject) => Use;
  /** What becomes of calls, for who reads the reason. */
  readonly consequence: string;
}

/**
 * Uses a policy as it is, or, where that cannot be, as it was when it last could be; the reason is what is rejected. Where neither can be used as a
 * whole, what it says now is used in part, if parts may be.
 *
 * @param use throws when the policy cannot be used: it is used as a whole or not at all
 */
export function policyInUse<Use>(
  reading: Reading,
  key: string,
  use: (policy: PolicyObject) => Use,
  partly?: PartlyUsed<Use>,
): PolicyInUse<Use> {
  const candidates = reading.get(policies, key);
  if (candidates === undefined) return {};
  const { current, lastGood } = candidates;
  try {
    return { inForce: current, use: use(current) };
  } catch (caught) {
    const reason = rejection(provenanceOf(current), caught);
    const isOther = lastGood !== undefined && lastGood.text !== current.text;
    return (
      (isOther ? attempt(lastGood, use, [reason]) : undefined) ??
      (partly === undefined ? undefined : partlyInUse(candidates, partly, reason)) ?? { rejected: [reason] }
    );
  }
}

function partlyInUse<Use>(
  { current, lastGood }: { readonly current: PolicyObject; readonly lastGood: PolicyObject | undefined },
  { use, closed, consequence }: PartlyUsed<Use>,
  reason: RejectedObject,
): PolicyInUse<Use> | undefined {
  // One that never was in force takes no calls: what there was before it stays.
  if (lastGood === undefined) return undefined;
  const rejected = [{ ...reason, message: `${reason.message}; ${consequence}` }];
  return attempt(current, use, rejected) ?? attempt(current, closed, rejected) ?? attempt(lastGood, closed, rejected);
}

function attempt<Use>(
  policy: PolicyObject,
  use: (policy: PolicyObject) => Use,
  rejected: readonly RejectedObject[],
): PolicyInUse<Use> | undefined {
  try {
    return { inForce: policy, use: use(policy), rejected };
  } catch {
    return undefined;
  }
}
