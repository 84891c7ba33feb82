import { z } from "zod";
import { exportTo, hostPattern, labels, maxItems } from "./fields.ts";
import { trafficPolicy } from "./traffic-policy.ts";
import { matchLabelsSelector } from "./workload-selector.ts";

const subsetName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, "expected up to 63 of A-Z a-z 0-9 . _ -");

const maxAddresses = 10_000;
const instanceAddress = /^(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)(:\d{1,5})?$/;

const subset = z.strictObject({
  name: subsetName.describe("What routes call it."),
  labels: labels
    .default({})
    .describe(
      "Its instances have all of these. A publication's `version` and `group` are labels too; a ServiceEntry's endpoints have their own.",
    ),
  addresses: z
    .array(z.string().regex(instanceAddress, "expected host:port, or a host"))
    .max(maxAddresses)
    .optional()
    .describe(
      "Not in Istio: its instances are at one of these, `10.0.0.5:20880` or `10.0.0.5`; the port is the application's own. An empty list: none.",
    ),
  trafficPolicy: trafficPolicy.optional().describe("Field by field, in place of the rule's."),
});

/** The spec of a DestinationRule. */
export const destinationRuleSchema = z
  .strictObject({
    host: hostPattern.describe("The service; see Hosts. `*.example.com`: all below it that have no rule of their own."),
    trafficPolicy: trafficPolicy.optional().describe("How calls get to the service."),
    subsets: z.array(subset).max(maxItems).default([]).describe("Parts of the service, for routes."),
    workloadSelector: matchLabelsSelector
      .optional()
      .describe("For callers of the rule's namespace only that are these nodes; it comes before rules without."),
    exportTo: exportTo.default(["*"]),
  })
  .superRefine((rule, context) => {
    const seen = new Set<string>();
    rule.subsets.forEach(({ name }, index) => {
      if (seen.has(name))
        context.addIssue({
          code: "custom",
          path: ["subsets", index, "name"],
          message: `the subset ${name} is there twice`,
        });
      seen.add(name);
    });
  });

export type DestinationRule = z.output<typeof destinationRuleSchema>;
export type Subset = DestinationRule["subsets"][number];
