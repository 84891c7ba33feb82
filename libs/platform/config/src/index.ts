export { type ConfigDefinition, type ConfigRow, defineConfig } from "./define-config.ts";
export { bindAddress, durationMs, port } from "./field-types.ts";
