import { connectNats } from "@fairlead/bus-nats";
import { loadTogether } from "@fairlead/config";
import { type Module, runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { startTelemetry } from "@fairlead/telemetry";
import { adsGatewayConfig, adsGatewayProcessConfig } from "./config.ts";
import { createAdsGateway } from "./module.ts";

await runMain(async () => {
  const [config, { natsUrl, otlpEndpoint }] = loadTogether(adsGatewayConfig, adsGatewayProcessConfig);
  const telemetry = startTelemetry({ service: "ads-gateway", otlpEndpoint });
  const logger = createLogger({ service: "ads-gateway", level: config.logLevel });
  const bus = await connectNats({ servers: natsUrl, name: "ads-gateway", logger });
  const gateway = createAdsGateway(config, { bus, logger, telemetry });
  const module: Module = {
    name: gateway.name,
    start: async () => await gateway.start(),
    async stop() {
      await gateway.stop();
      await Promise.all([bus.close(), telemetry.shutdown()]);
    },
  };
  return { module, logger };
});
