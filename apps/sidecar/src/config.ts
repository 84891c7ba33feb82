import { bindAddress, defineConfig, durationMs, httpLimitFields, logLevel, otlpEndpoint } from "@fairlead/config";
import { isValidNodeId, nodeIdRule } from "@fairlead/model";
import { defaultOverloadActions, parseOverloadActions } from "@fairlead/proxy-overload";
import { nodeSchema } from "@fairlead/registration";
import { proxyFields, runFields } from "@fairlead/registry-client/proxy-fields";
import { z } from "zod";

const separated = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** A port that others are told of, so it cannot be left to the system. */
const announcedPort = () => z.coerce.number().int().min(1).max(65535);
const localPort = () => z.coerce.number().int().min(0).max(65535);

export const sidecarConfig = defineConfig("sidecar", {
  app: z.string().min(1).max(255).describe("The name of the application beside the sidecar. Required."),
  nodeId: z
    .string()
    .refine(isValidNodeId, { error: `a node id is ${nodeIdRule}` })
    .optional()
    .describe(
      "The xDS node id, unique in the mesh. Without it: sidecar~<address>~<app>-<host name>-<inbound port>~fairlead.",
    ),
  address: nodeSchema.shape.address
    .default("127.0.0.1")
    .describe("The IP address at which other proxies reach this one."),
  bind: bindAddress().describe(
    "Where the local API and the admin pages listen. They are not authenticated: keep them on loopback. Admin pages that change something are for loopback whatever is set here.",
  ),
  apiPort: localPort().default(13330).describe("The local API: /pub /unpub /sub /unsub."),
  outboundPort: announcedPort().default(15001).describe("Where the application sends its calls, on loopback."),
  outboundRpcPort: localPort()
    .default(12220)
    .describe(
      "Where the application sends its Dubbo and bolt calls, on loopback; 0 = it makes none, and others' do not reach it through inboundPort. SOFARPC's mesh registry takes 12220 for granted.",
    ),
  dubboPort: announcedPort()
    .default(20880)
    .describe("The application's own Dubbo port, for MOSN's /pub: its body names none."),
  boltPort: announcedPort()
    .default(12200)
    .describe("The application's own bolt port, for SOFA's /services/publish where it names none."),
  inboundPort: announcedPort().default(15006).describe("Where other proxies send calls for the application."),
  adminPort: localPort().default(15000).describe("The admin pages: /ready /stats /config_dump …, named as Envoy's."),
  registryUrl: proxyFields.registryUrl(),
  adsAddress: proxyFields.adsAddress(),
  adsVariant: z
    .enum(["delta", "sotw"])
    .default("delta")
    .describe(
      "How configuration comes: delta = what has changed, also after a reconnect; sotw = all of a type with each change of it.",
    ),
  lastGoodConfig: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A folder for the configuration that was applied last, for a start while no gateway answers. It is made with mode 0700; files that others may write are not read. Without it nothing is kept.",
    ),
  filterModules: z
    .string()
    .transform(separated)
    .prefault("")
    .describe(
      "Modules that add stream filters of your own, separated by commas: package names, or paths that begin with . or /. They are imported at the start and run inside the proxy.",
    ),
  labels: proxyFields.labels(""),
  accessLog: proxyFields.accessLog("off"),
  leaseTtl: durationMs()
    .prefault("30s")
    .describe("The lease time of registry-sync, until it has told its own. The lease is renewed at a third of it."),
  drainTimeout: durationMs()
    .prefault("10s")
    .describe("How long a stop may take to withdraw what is published and to serve what is under way."),
  ...runFields(defaultOverloadActions, parseOverloadActions),
  initialFetchTimeout: durationMs()
    .prefault("15s")
    .describe("How long the start waits for each type of configuration before it goes on without."),
  ...httpLimitFields(1000),
  logLevel: logLevel(),
  otlpEndpoint: otlpEndpoint(),
});
export type SidecarConfig = ReturnType<typeof sidecarConfig.load>;
