import { asEpoch, isEpoch, supervise, supervisedBy } from "@fairlead/hot-restart";
import { runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { edgeGatewayConfig } from "./config.ts";

await runMain(async () => {
  const config = edgeGatewayConfig.load();
  const logger = createLogger({ service: "edge-gateway", level: config.logLevel });
  if (config.hotRestart && !isEpoch()) {
    const { hotRestartTimeout: readyTimeoutMs, drainTimeout: drainTimeoutMs } = config;
    return { logger, module: supervise({ logger, main: import.meta.filename, readyTimeoutMs, drainTimeoutMs }) };
  }
  const epoch = await supervisedBy();
  const end = () => process.kill(process.pid, "SIGTERM");
  // Not for the supervisor, which is to be small.
  const { startTelemetry } = await import("@fairlead/telemetry");
  const { createEdgeGateway } = await import("./module.ts");
  const telemetry = startTelemetry({ service: "edge-gateway", otlpEndpoint: config.otlpEndpoint });
  const quit = epoch === undefined ? end : () => epoch.quit();
  const gateway = createEdgeGateway(config, { logger, telemetry, quit, ...(epoch === undefined ? {} : { epoch }) });
  const serving = asEpoch(gateway, epoch, end);
  return {
    logger,
    module: {
      name: serving.name,
      start: async () => await serving.start(),
      async stop() {
        await serving.stop();
        await telemetry.shutdown();
      },
    },
  };
});
