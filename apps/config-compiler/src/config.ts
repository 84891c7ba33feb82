import {
  bindAddress,
  defineConfig,
  durationMs,
  httpLimitFields,
  logLevel,
  port,
  storeProcessConfig,
} from "@fairlead/config";

export const configCompilerConfig = defineConfig("config-compiler", {
  bind: bindAddress().describe("Address that /healthz, /readyz and /metrics listen on."),
  httpPort: port().default(13301).describe("Port of /healthz, /readyz and /metrics. 0 = a free one."),
  pollInterval: durationMs()
    .prefault("2s")
    .describe(
      "How often the store is asked for changes that no message announced. Also the longest delay while the bus is down.",
    ),
  ...httpLimitFields(1000),
  logLevel: logLevel(),
});
export type ConfigCompilerConfig = ReturnType<typeof configCompilerConfig.load>;

/** What only the process of its own needs: in `fairlead up` bus and store are given. */
export const configCompilerProcessConfig = storeProcessConfig("config-compiler");
