import type { Serving, ServingProcess } from "@fairlead/hot-restart";
import type { Logger } from "@fairlead/logging";
import { startTelemetry } from "@fairlead/telemetry";
import type { SidecarConfig } from "./config.ts";
import { createSidecar } from "./module.ts";

/** The sidecar with its telemetry, in the process that serves. */
export function serve(config: SidecarConfig, logger: Logger, process: ServingProcess): Serving {
  const telemetry = startTelemetry({ service: "sidecar", otlpEndpoint: config.otlpEndpoint });
  return { telemetry, module: createSidecar(config, { logger, telemetry, ...process }) };
}
