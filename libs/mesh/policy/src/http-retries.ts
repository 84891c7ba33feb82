import { z } from "zod";
import { durationMs, positiveDurationMs } from "./fields.ts";
import { retryConditions } from "./retry-conditions.ts";

const retryOn = z
  .string()
  .max(512)
  .transform((text, context) => {
    const conditions = text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    const isStatus = (part: string) => /^[1-5]\d\d$/.test(part);
    // Implied by a status code; without one it names none.
    const named = conditions.filter((part) => !isStatus(part) && part !== "retriable-status-codes");
    const unknown = named.filter((part) => !retryConditions.includes(part));
    if (unknown.length > 0) {
      context.addIssue({
        code: "custom",
        message: `unknown condition ${unknown.join(", ")}; known are status codes and ${retryConditions.join(", ")}`,
      });
      return z.NEVER;
    }
    return { conditions: named, statusCodes: conditions.filter(isStatus).map(Number) };
  });

export const retries = z.strictObject({
  attempts: z.number().int().min(0).max(100).describe("Repetitions at most; 0 = none."),
  perTryTimeout: durationMs.optional().describe("Of each attempt. Default: the route's time-out."),
  retryOn: retryOn.optional().describe("When to repeat; see retryOn."),
  retryRemoteLocalities: z
    .boolean()
    .optional()
    .describe("A repetition may go to another locality's instances although there are some left in this one."),
  retryIgnorePreviousHosts: z
    .boolean()
    .default(true)
    .describe("A repetition goes to an instance that was not tried yet, where there is one. Default: true."),
  backoff: positiveDurationMs
    .optional()
    .describe("The wait before the first repetition; it grows to ten times that. Default: 25ms."),
});
export type Retries = z.output<typeof retries>;
