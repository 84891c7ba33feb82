import { z } from "zod";

const convergenceSchema = z.object({ converged: z.boolean(), proxies: z.number() });

/** What PUT /v1/policies answers. */
export const appliedPoliciesSchema = z.object({
  revision: z.number(),
  policies: z
    .array(z.object({ kind: z.string(), namespace: z.string(), name: z.string(), outcome: z.string().optional() }))
    .default([]),
  convergence: convergenceSchema.optional(),
});
export type AppliedPolicies = z.output<typeof appliedPoliciesSchema>;
