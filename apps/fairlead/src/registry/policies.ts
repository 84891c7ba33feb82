import { z } from "zod";

const convergenceSchema = z.object({ converged: z.boolean(), proxies: z.number() });

/** What DELETE /v1/policies/… answers. */
export const removedPolicySchema = z.object({ revision: z.number(), convergence: convergenceSchema.optional() });

/** What PUT /v1/policies answers. */
export const appliedPoliciesSchema = removedPolicySchema.extend({
  /** created, configured or unchanged. */
  objects: z.array(z.object({ kind: z.string(), namespace: z.string(), name: z.string(), outcome: z.string() })),
});
export type AppliedPolicies = z.output<typeof appliedPoliciesSchema>;
