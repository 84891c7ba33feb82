import { isValidNodeId, nodeIdRule } from "@fairlead/model";
import { z } from "zod";
import { labelsSchema } from "./labels.ts";

const nodeId = z.string().refine(isValidNodeId, { error: `a node id is ${nodeIdRule}` });
const portNumber = z.number().int().min(1).max(65535);

/** Names a node that is registered. */
export const nodeReferenceSchema = z.strictObject({ id: nodeId.describe("The xDS node id.") });

/** A node as it registers itself: MeshNode with defaults. */
export const nodeSchema = z.strictObject({
  id: nodeId.describe("The xDS node id."),
  app: z
    .string()
    .regex(/^[\p{L}\p{N}\p{P}\p{S} ]{1,255}$/u, "an app's name is 1 to 255 characters without control characters")
    .describe("The application beside the proxy; the xDS node cluster."),
  address: z
    .union([z.ipv4(), z.ipv6()])
    .describe("The IP address that other proxies reach it at. A name is refused: proxies do not resolve endpoints."),
  inboundPort: portNumber
    .optional()
    .describe("Where its proxy takes calls for the application. Without it callers go to the application's own port."),
  outboundPort: portNumber.optional().describe("Where its proxy takes the application's calls, on loopback."),
  outboundRpcPort: portNumber
    .optional()
    .describe(
      "Where its proxy takes the application's Dubbo and bolt calls, on loopback. With it, others' calls of these protocols reach the application through inboundPort, unless the label fairlead.io/proxy is envoy: Envoy takes the application's Dubbo calls only.",
    ),
  labels: labelsSchema.default({}),
});
export type NodeBody = z.output<typeof nodeSchema>;
