import { bindAddress, defineConfig, durationMs, logLevel, otlpEndpoint } from "@fairlead/config";
import { isValidNodeId, nodeIdRule } from "@fairlead/model";
import { defaultOverloadActions, parseOverloadActions } from "@fairlead/proxy-overload";
import { nodeSchema } from "@fairlead/registration";
import { proxyFields, runFields } from "@fairlead/registry-client/proxy-fields";
import { z } from "zod";

export const edgeGatewayConfig = defineConfig("edge-gateway", {
  app: z.string().min(1).max(255).default("edge-gateway").describe("The name of the gateway: the xDS node cluster."),
  nodeId: z
    .string()
    .refine(isValidNodeId, { error: `a node id is ${nodeIdRule}` })
    .optional()
    .describe("The xDS node id, unique in the mesh. Without it: router~<address>~<app>-<host name>~fairlead."),
  labels: proxyFields.labels("app=edge-gateway"),
  address: nodeSchema.shape.address
    .default("127.0.0.1")
    .describe(
      "The IP address at which clients reach the gateway. A loopback address is also where it listens; with any other it listens on all addresses of the host, on the ports of the Gateways that select its labels. A Gateway's own `bind` comes first.",
    ),
  adminBind: bindAddress().describe(
    "Where the admin pages listen. They are not authenticated: who reaches the port can read all of them (keys are never shown). What changes something (POST) is for loopback whatever is set here.",
  ),
  adminPort: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(15000)
    .describe("The admin pages: /ready /stats /config_dump …, named as Envoy's."),
  registryUrl: proxyFields.registryUrl(),
  adsAddress: proxyFields.adsAddress(),
  lastGoodConfig: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A folder for the configuration that was applied last, for a start while no gateway of the control plane answers. It is made with mode 0700. Without it nothing is kept.",
    ),
  accessLog: proxyFields.accessLog("stdout"),
  leaseTtl: durationMs()
    .prefault("30s")
    .describe("The lease time of registry-sync, until it has told its own. The lease is renewed at a third of it."),
  drainTimeout: durationMs()
    .prefault("20s")
    .describe("How long a stop may take to serve what is under way; connections are closed then."),
  ...runFields(defaultOverloadActions, parseOverloadActions),
  initialFetchTimeout: durationMs()
    .prefault("15s")
    .describe("How long the start waits for each type of configuration before it goes on without."),
  logLevel: logLevel(),
  otlpEndpoint: otlpEndpoint(),
});
export type EdgeGatewayConfig = ReturnType<typeof edgeGatewayConfig.load>;
