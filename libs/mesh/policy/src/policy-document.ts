import { policyKinds } from "@fairlead/model";
import { z } from "zod";
import { destinationRuleSchema } from "./destination-rule.ts";
import { objectName } from "./fields.ts";
import { virtualServiceSchema } from "./virtual-service.ts";

export const apiVersions: readonly string[] = ["v1", "v1beta1", "v1alpha3"].map(
  (version) => `networking.istio.io/${version}`,
);

const metadata = z.strictObject({
  name: objectName,
  namespace: objectName.default("default"),
  // Carried by what people copy from a cluster; they mean nothing here.
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

const common = {
  apiVersion: z.enum(apiVersions as [string, ...string[]], { error: `expected one of ${apiVersions.join(", ")}` }),
  metadata,
};

/** One document of a policy file. */
export const policyDocumentSchema = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ ...common, kind: z.literal("VirtualService"), spec: virtualServiceSchema }),
    z.strictObject({ ...common, kind: z.literal("DestinationRule"), spec: destinationRuleSchema }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union" ? `the kind is not implemented; known are ${policyKinds.join(", ")}` : undefined,
  },
);
export type PolicyDocument = z.output<typeof policyDocumentSchema>;
