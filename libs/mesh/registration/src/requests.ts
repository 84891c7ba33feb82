import { z } from "zod";
import { convergenceReportSchema } from "./convergence.ts";
import { nodeReferenceSchema, nodeSchema } from "./node.ts";
import { calledServiceSchema, serviceReferenceSchema, serviceSchema } from "./service.ts";

/** What registry-sync takes: the application's bodies plus the node. */

/** POST /pub */
export const publishRequestSchema = z.strictObject({
  service: serviceSchema,
  node: nodeSchema,
  state: z
    .enum(["warming", "ready"])
    .default("ready")
    .describe(
      "warming: its own proxy is not configured yet, nobody is sent there until /v1/instances/state says ready.",
    ),
});
export type PublishRequest = z.output<typeof publishRequestSchema>;

/** POST /unpub */
export const unpublishRequestSchema = z.strictObject({ service: serviceReferenceSchema, node: nodeReferenceSchema });
export type UnpublishRequest = z.output<typeof unpublishRequestSchema>;

/** POST /sub. Of the service only the interface counts; the protocol is assumed until somebody publishes it. */
export const subscribeRequestSchema = z.strictObject({ service: calledServiceSchema, node: nodeSchema });
export type SubscribeRequest = z.output<typeof subscribeRequestSchema>;

/** POST /unsub */
export const unsubscribeRequestSchema = z.strictObject({ service: calledServiceSchema, node: nodeReferenceSchema });
export type UnsubscribeRequest = z.output<typeof unsubscribeRequestSchema>;

/** POST /v1/instances/state */
export const instanceStateRequestSchema = z.strictObject({
  service: serviceReferenceSchema,
  node: nodeReferenceSchema,
  state: z.enum(["ready", "draining"]).describe("ready: callers are sent there. draining: they no longer are."),
});
export type InstanceStateRequest = z.output<typeof instanceStateRequestSchema>;

/** POST /v1/nodes */
export const registerNodeRequestSchema = z.strictObject({ node: nodeSchema });

/** POST /v1/leases/renew */
export const renewLeaseRequestSchema = z.strictObject({ node: nodeReferenceSchema });

export const leaseAnswerSchema = z.object({
  leaseTtlMs: z
    .number()
    .int()
    .describe("The node is removed when it is not renewed for this long. Renew at a third of it."),
});

/** The answer of operations that change something and are not MOSN's. */
export const changeAnswerSchema = z.object({
  revision: z
    .number()
    .int()
    .describe("The revision that holds the change. An operation that changes nothing answers with the current one."),
  convergence: convergenceReportSchema.optional().describe("With ?wait=converged."),
});
