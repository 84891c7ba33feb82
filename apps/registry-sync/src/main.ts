import { connectNats } from "@fairlead/bus-nats";
import { loadTogether } from "@fairlead/config";
import { type Module, runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { openStore } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { registrySyncConfig, registrySyncProcessConfig } from "./config.ts";
import { createRegistrySync } from "./module.ts";

await runMain(async () => {
  const [config, { natsUrl, databaseUrl, otlpEndpoint }] = loadTogether(registrySyncConfig, registrySyncProcessConfig);
  const telemetry = startTelemetry({ service: "registry-sync", otlpEndpoint });
  const logger = createLogger({ service: "registry-sync", level: config.logLevel });
  const bus = await connectNats({ servers: natsUrl, name: "registry-sync", logger });
  const store = await openStore({ url: databaseUrl, logger });
  const registrySync = createRegistrySync(config, { bus, store, logger, telemetry });
  const module: Module = {
    name: registrySync.name,
    start: async () => await registrySync.start(),
    async stop() {
      await registrySync.stop();
      await Promise.all([bus.close(), store.close(), telemetry.shutdown()]);
    },
  };
  return { module, logger };
});
