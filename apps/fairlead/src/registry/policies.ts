import { changeAnswerSchema, previewedObjectSchema, previewSchema } from "@fairlead/registration";
import { z } from "zod";

/** What DELETE /v1/policies/… answers. */
export const removedPolicySchema = changeAnswerSchema;

/** What PUT /v1/policies answers. */
export const appliedPoliciesSchema = changeAnswerSchema.extend({
  objects: z.array(previewedObjectSchema),
  dryRun: z.boolean(),
});
export type AppliedPolicies = z.output<typeof appliedPoliciesSchema>;

/** What both answer with dryRun=true. */
export const previewedChangeSchema = appliedPoliciesSchema.extend({ preview: previewSchema });
