export { startTelemetry, type Telemetry, type TelemetryOptions } from "./start-telemetry.ts";
export { currentTraceparent, detached, inSpan, spansAreKept, startSpan, withTraceparent } from "./trace-context.ts";
