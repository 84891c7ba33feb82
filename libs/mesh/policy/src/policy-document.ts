import { type PolicyKind, policyKinds } from "@fairlead/model";
import { z } from "zod";
import { destinationRuleSchema } from "./destination-rule.ts";
import { objectName } from "./fields.ts";
import { gatewaySchema } from "./gateway.ts";
import { serviceEntrySchema } from "./service-entry.ts";
import { sidecarSchema } from "./sidecar.ts";
import { virtualServiceSchema } from "./virtual-service.ts";

export const apiVersions: readonly string[] = ["v1", "v1beta1", "v1alpha3"].map(
  (version) => `networking.istio.io/${version}`,
);

/** What is taken of `spec`, by kind. */
export const specSchemas = {
  VirtualService: virtualServiceSchema,
  DestinationRule: destinationRuleSchema,
  ServiceEntry: serviceEntrySchema,
  Gateway: gatewaySchema,
  Sidecar: sidecarSchema,
} as const satisfies Record<PolicyKind, z.ZodType>;

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
    z.strictObject({ ...common, kind: z.literal("VirtualService"), spec: specSchemas.VirtualService }),
    z.strictObject({ ...common, kind: z.literal("DestinationRule"), spec: specSchemas.DestinationRule }),
    z.strictObject({ ...common, kind: z.literal("ServiceEntry"), spec: specSchemas.ServiceEntry }),
    z.strictObject({ ...common, kind: z.literal("Gateway"), spec: specSchemas.Gateway }),
    z.strictObject({ ...common, kind: z.literal("Sidecar"), spec: specSchemas.Sidecar }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union" ? `the kind is not implemented; known are ${policyKinds.join(", ")}` : undefined,
  },
);
export type PolicyDocument = z.output<typeof policyDocumentSchema>;
