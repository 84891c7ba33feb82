export { type ConfigDefinition, type ConfigRow, defineConfig } from "./define-config.ts";
export { bindAddress, databaseUrl, durationMs, logLevel, natsUrl, otlpEndpoint, port } from "./field-types.ts";
