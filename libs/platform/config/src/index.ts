export { type ConfigDefinition, type ConfigRow, defineConfig } from "./define-config.ts";
export { bindAddress, databaseUrl, durationMs, logLevel, natsUrl, otlpEndpoint, port } from "./field-types.ts";
export { loadTogether } from "./load-together.ts";
export { storeProcessConfig } from "./process-config.ts";
export { httpLimitFields } from "./http-limit-fields.ts";
