import type { Serving, ServingProcess } from "@fairlead/hot-restart";
import type { Logger } from "@fairlead/logging";
import { startTelemetry } from "@fairlead/telemetry";
import type { EdgeGatewayConfig } from "./config.ts";
import { createEdgeGateway } from "./module.ts";

/** The edge-gateway with its telemetry, in the process that serves. */
export function serve(config: EdgeGatewayConfig, logger: Logger, process: ServingProcess): Serving {
  const telemetry = startTelemetry({ service: "edge-gateway", otlpEndpoint: config.otlpEndpoint });
  return { telemetry, module: createEdgeGateway(config, { logger, telemetry, ...process }) };
}
