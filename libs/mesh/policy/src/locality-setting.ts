import { z } from "zod";
import { maxItems, wholePercent } from "./fields.ts";

/** `region/zone/subzone`; `*` stands for all that is left. */
const locality = z
  .string()
  .max(255)
  .regex(
    /^(\*|[^/*]+(\/[^/*]+){0,2}(\/\*)?)$/,
    "expected region, region/zone, region/zone/subzone, or region/* and so on",
  )
  .refine((text) => text.split("/").length <= 3, "expected at most region/zone/subzone");

const distribute = z
  .strictObject({
    from: locality.describe("Callers here …"),
    to: z.record(locality, wholePercent).describe("… send this share of their calls there, in percent: together 100."),
  })
  .refine(
    ({ to }) => Object.values(to).reduce((sum, share) => sum + share, 0) === 100,
    "the shares are not 100 together",
  );

const failover = z
  .strictObject({
    from: z.string().min(1).max(255).describe("A region …"),
    to: z.string().min(1).max(255).describe("… whose calls go there when it has no healthy instance."),
  })
  .refine(({ from, to }) => from !== to, "from and to are the same");

export const localityLbSetting = z
  .strictObject({
    enabled: z.boolean().default(true).describe("`false`: localities do not matter."),
    distribute: z.array(distribute).max(maxItems).default([]).describe("Shares of the calls by locality."),
    failover: z
      .array(failover)
      .max(maxItems)
      .default([])
      .describe("Which region comes after one's own; needs `outlierDetection`."),
    failoverPriority: z
      .array(z.string().min(1).max(512))
      .max(16)
      .default([])
      .describe(
        "Labels, most important first, as `key` or `key=value`: instances that share more of them with the caller's node come first; needs `outlierDetection`.",
      ),
  })
  .superRefine((value, context) => {
    const given = [
      value.distribute.length > 0 ? "distribute" : undefined,
      value.failover.length > 0 || value.failoverPriority.length > 0 ? "failover or failoverPriority" : undefined,
    ].filter((one) => one !== undefined);
    if (given.length > 1) context.addIssue({ code: "custom", message: `expected at most one of ${given.join(", ")}` });
  });
export type LocalityLbSetting = z.output<typeof localityLbSetting>;
