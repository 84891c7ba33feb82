import { z } from "zod";
import { atMostOne, maxItems } from "./fields.ts";

const part = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
/** `region/zone/subzone`, from the right shorter or with `*`. */
const localityPattern = z
  .string()
  .regex(
    new RegExp(`^(\\*|${part}(/(\\*|${part}(/(\\*|${part}))?))?)$`),
    "expected region, region/zone or region/zone/subzone; the last part may be *",
  );

const region = z.string().regex(new RegExp(`^${part}$`), "expected a region");

const distribute = z.strictObject({
  from: localityPattern.describe("Callers that are there: `region/zone/subzone`, `region/zone/*` …"),
  to: z
    .record(localityPattern, z.number().int().min(1).max(100))
    .refine(
      (shares) => Object.values(shares).reduce((sum, share) => sum + share, 0) === 100,
      "expected shares of 100 together",
    )
    .describe("Locality → percent of the calls, 100 together. Other localities get none."),
});

const failover = z
  .strictObject({
    from: region.describe("Callers of this region …"),
    to: region.describe("… go here before other regions, when there is nobody left in their own."),
  })
  .refine(({ from, to }) => from !== to, "expected two regions");

/** Which localities' instances come first, for each caller by its own locality. */
export const localityLbSetting = z
  .strictObject({
    enabled: z.boolean().optional().describe("`false`: localities do not matter."),
    distribute: z.array(distribute).max(maxItems).optional().describe("Shares of the calls, by the caller's locality."),
    failover: z.array(failover).max(maxItems).optional().describe("Which region comes next, for a caller's region."),
    failoverPriority: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,252}(=[A-Za-z0-9._-]{0,63})?$/, "expected label or label=value"),
      )
      .max(16)
      .optional()
      .describe(
        "Labels: an instance comes the earlier, the more of the first ones it has with the caller's values, or with those given as `label=value`.",
      ),
  })
  .superRefine((value, context) => {
    const problem = atMostOne(value, ["distribute", "failover", "failoverPriority"]);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
export type LocalityLbSetting = z.output<typeof localityLbSetting>;
