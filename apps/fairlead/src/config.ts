import { defineConfig, logLevel, otlpEndpoint, port } from "@fairlead/config";
import { z } from "zod";

/** What `fairlead up` tells the one process that holds the control plane. */
export const controlPlaneConfig = defineConfig("fairlead up (control plane in one process)", {
  databaseUrl: z.string().min(1).describe("PostgreSQL. `fairlead up` starts one of its own where this is not set."),
  registryPort: port().default(13300).describe("HTTP of registry-sync. Set by `up` from --port-base and --free-ports."),
  compilerPort: port().default(13301).describe("HTTP of config-compiler. Set by `up`."),
  adsPort: port().default(15010).describe("gRPC of ads-gateway. Set by `up`."),
  adsDebugPort: port().default(15014).describe("HTTP of ads-gateway. Set by `up`."),
  otlpEndpoint: otlpEndpoint(),
  logLevel: logLevel(),
});
export type ControlPlaneConfig = ReturnType<typeof controlPlaneConfig.load>;
