import {
  bindAddress,
  defineConfig,
  durationMs,
  httpLimitFields,
  logLevel,
  port,
  storeProcessConfig,
} from "@fairlead/config";
import { z } from "zod";

export const configCompilerConfig = defineConfig("config-compiler", {
  bind: bindAddress().describe("Address that /healthz, /readyz and /metrics listen on."),
  httpPort: port().default(13301).describe("Port of /healthz, /readyz and /metrics. 0 = a free one."),
  pollInterval: durationMs()
    .prefault("2s")
    .describe(
      "How often the store is asked for changes that no message announced. Also the longest delay while the bus is down.",
    ),
  hotStandby: z
    .stringbool()
    .prefault("true")
    .describe(
      "While another compiler is active, follow the catalogue and keep everything compiled: taking over then takes less than 2 s, and a standby costs the CPU and memory of an active one. false = compile when it is needed, which takes seconds in a large mesh.",
    ),
  ...httpLimitFields(1000),
  logLevel: logLevel(),
});
export type ConfigCompilerConfig = ReturnType<typeof configCompilerConfig.load>;

/** What only the process of its own needs: in `fairlead up` bus and store are given. */
export const configCompilerProcessConfig = storeProcessConfig("config-compiler");
