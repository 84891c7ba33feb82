import { runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { startTelemetry } from "@fairlead/telemetry";
import { createSidecar, sidecarConfig } from "./module.ts";

await runMain(async () => {
  const config = sidecarConfig.load();
  const telemetry = startTelemetry({ service: "sidecar", otlpEndpoint: config.otlpEndpoint });
  const logger = createLogger({ service: "sidecar", level: config.logLevel });
  const sidecar = createSidecar(config, { logger, telemetry, quit: () => process.kill(process.pid, "SIGTERM") });
  return {
    logger,
    module: {
      name: sidecar.name,
      start: async () => await sidecar.start(),
      async stop() {
        await sidecar.stop();
        await telemetry.shutdown();
      },
    },
  };
});
