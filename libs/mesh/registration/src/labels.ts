import { z } from "zod";

export const maxLabels = 64;

/** Names and values as Kubernetes has them, so that the same subset selectors work everywhere. */
export const labelsSchema = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/, "a label's name is 1 to 253 of A-Z a-z 0-9 . _ / -"),
    z
      .string()
      .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, "a label's value is up to 63 of A-Z a-z 0-9 . _ -"),
  )
  .refine((labels) => Object.keys(labels).length <= maxLabels, { error: `at most ${maxLabels} labels` })
  .describe("What subsets select by.");
