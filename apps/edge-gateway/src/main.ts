import { runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { startTelemetry } from "@fairlead/telemetry";
import { createEdgeGateway, edgeGatewayConfig } from "./module.ts";

await runMain(async () => {
  const config = edgeGatewayConfig.load();
  const telemetry = startTelemetry({ service: "edge-gateway", otlpEndpoint: config.otlpEndpoint });
  const logger = createLogger({ service: "edge-gateway", level: config.logLevel });
  const gateway = createEdgeGateway(config, { logger, telemetry, quit: () => process.kill(process.pid, "SIGTERM") });
  return {
    logger,
    module: {
      name: gateway.name,
      start: async () => await gateway.start(),
      async stop() {
        await gateway.stop();
        await telemetry.shutdown();
      },
    },
  };
});
