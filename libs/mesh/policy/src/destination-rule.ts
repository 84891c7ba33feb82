import { z } from "zod";
import { hostName, labels } from "./fields.ts";

const loadBalancers = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"] as const;
export type LoadBalancer = (typeof loadBalancers)[number];

const subsetName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, "expected up to 63 of A-Z a-z 0-9 . _ -");

const trafficPolicy = z.strictObject({
  loadBalancer: z.strictObject({ simple: z.enum(loadBalancers) }).optional(),
});

/** The spec of a DestinationRule. A subset's traffic policy wins over the rule's. */
export const destinationRuleSchema = z
  .strictObject({
    host: hostName,
    trafficPolicy: trafficPolicy.optional(),
    subsets: z
      .array(z.strictObject({ name: subsetName, labels: labels.default({}), trafficPolicy: trafficPolicy.optional() }))
      .max(256)
      .default([]),
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
