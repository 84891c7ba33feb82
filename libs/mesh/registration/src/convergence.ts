import { z } from "zod";
import { rejectedObjectSchema } from "./preview.ts";
import { originSchema } from "./refusal.ts";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const maxTimeoutMs = 300_000;

/** `?wait=converged&timeout=10s`; the time-out becomes milliseconds. */
export const waitQuerySchema = z.strictObject({
  wait: z.enum(["converged"]).optional().describe("Answer once every proxy that the change concerns has ACKed it."),
  timeout: z
    .string()
    .regex(/^\d{1,9}(ms|s|m)$/, "expected a number with a unit, such as 500ms, 10s or 2m")
    .default("10s")
    .transform((text) => {
      const [, digits, unit] = /^(\d+)(ms|s|m)$/.exec(text)!;
      return Number(digits) * unitMs[unit!]!;
    })
    .refine((ms) => ms <= maxTimeoutMs, { error: "at most 5m" })
    .describe("How long to wait, at most 5m. After it the answer is FL_NOT_CONVERGED with who is missing."),
});
export type WaitQuery = z.output<typeof waitQuerySchema>;

const missingProxySchema = z.object({
  node: z
    .string()
    .describe("The proxy's node id, or `gateway:<id>` / `config-compiler` where the change has not got that far."),
  type: z.string().describe("cds, eds, lds, rds; empty where it is not about one type."),
  reason: z.string(),
  sinceMs: z.number().describe("For how long it has been missing."),
  resources: z.array(z.string()).optional().describe("Of a NACK: the resources that the proxy refuses."),
  objects: z.array(originSchema).optional().describe("Of a NACK: what these were compiled from, policies first."),
});
/** Who has not ACKed a revision, and why. */
export type MissingProxy = z.output<typeof missingProxySchema>;

export const convergenceReportSchema = z.object({
  revision: z.number().int(),
  converged: z.boolean(),
  /** Proxies connected to all gateways at the time of the answer. */
  proxies: z.number().int(),
  missing: z.array(missingProxySchema),
  /** Objects of this revision that could not be compiled; what they had compiled to before stays in force. */
  rejected: z.array(
    rejectedObjectSchema.extend({
      already: z.boolean().default(false).describe("It was rejected before this revision, too, for the same reason."),
    }),
  ),
});
export type ConvergenceReport = z.output<typeof convergenceReportSchema>;
