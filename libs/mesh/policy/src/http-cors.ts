import { z } from "zod";
import { durationMs, headerName, maxItems } from "./fields.ts";
import { stringMatch } from "./string-match.ts";

const names = z.array(z.union([headerName, z.literal("*")])).max(maxItems);

export const corsPolicy = z
  .strictObject({
    allowOrigins: z
      .array(stringMatch)
      .max(maxItems)
      .default([])
      .describe('Origins: `exact`, `prefix` or `regex`; `exact: "*"` = all.'),
    allowOrigin: z
      .array(z.string().min(1).max(1024))
      .max(maxItems)
      .default([])
      .describe("The old form of `allowOrigins`: exact, or `*`."),
    allowMethods: names.default([]).describe("For `access-control-allow-methods`."),
    allowHeaders: names.default([]).describe("For `access-control-allow-headers`."),
    exposeHeaders: names.default([]).describe("For `access-control-expose-headers`."),
    maxAge: durationMs.optional().describe("How long a browser may keep the answer to a preflight."),
    allowCredentials: z.boolean().optional().describe("Whether cookies may be sent."),
    unmatchedPreflights: z
      .enum(["UNSPECIFIED", "FORWARD", "IGNORE"])
      .optional()
      .describe(
        "A preflight of another origin: `FORWARD` to the service (default), or `IGNORE`: answer it without permission.",
      ),
  })
  .transform(({ allowOrigin, ...policy }) => ({
    ...policy,
    allowOrigins: [...allowOrigin.map((value) => ({ kind: "exact" as const, value })), ...policy.allowOrigins],
  }));
export type CorsPolicy = z.output<typeof corsPolicy>;
