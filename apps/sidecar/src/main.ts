import { asEpoch, isEpoch, supervise, supervisedBy } from "@fairlead/hot-restart";
import { runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { sidecarConfig } from "./config.ts";

await runMain(async () => {
  const config = sidecarConfig.load();
  const logger = createLogger({ service: "sidecar", level: config.logLevel });
  if (config.hotRestart && !isEpoch()) {
    const { hotRestartTimeout: readyTimeoutMs, drainTimeout: drainTimeoutMs } = config;
    return { logger, module: supervise({ logger, main: import.meta.filename, readyTimeoutMs, drainTimeoutMs }) };
  }
  const epoch = await supervisedBy();
  const end = () => process.kill(process.pid, "SIGTERM");
  // Not for the supervisor, which is to be small.
  const { startTelemetry } = await import("@fairlead/telemetry");
  const { createSidecar } = await import("./module.ts");
  const telemetry = startTelemetry({ service: "sidecar", otlpEndpoint: config.otlpEndpoint });
  const quit = epoch === undefined ? end : () => epoch.quit();
  const sidecar = createSidecar(config, { logger, telemetry, quit, ...(epoch === undefined ? {} : { epoch }) });
  const serving = asEpoch(sidecar, epoch, end);
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
