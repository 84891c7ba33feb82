import { bindAddress, defineConfig, durationMs, port } from "@fairlead/config";
import { z } from "zod";

export const configCompilerConfig = defineConfig("config-compiler", {
  bind: bindAddress().describe("Address that /healthz, /readyz and /metrics listen on."),
  httpPort: port().default(13301).describe("Port of /healthz, /readyz and /metrics. 0 = a free one."),
  pollInterval: durationMs()
    .prefault("2s")
    .describe(
      "How often the store is asked for changes that no message announced. Also the longest delay while the bus is down.",
    ),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("Least severe level that is logged."),
});
export type ConfigCompilerConfig = ReturnType<typeof configCompilerConfig.load>;

/** What only the process of its own needs: in `fairlead up` bus and store are given. */
export const configCompilerProcessConfig = defineConfig("config-compiler (as a process)", {
  natsUrl: z.string().min(1).describe("nats-server, e.g. nats://127.0.0.1:4222; several with commas."),
  databaseUrl: z.string().min(1).describe("PostgreSQL, e.g. postgres://user:password@127.0.0.1:5432/fairlead."),
  otlpEndpoint: z
    .string()
    .optional()
    .describe("Where traces go by OTLP over HTTP, e.g. http://127.0.0.1:4318. Not set: none are sent."),
});
