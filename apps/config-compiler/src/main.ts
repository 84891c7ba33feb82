import { connectNats } from "@fairlead/bus-nats";
import { loadTogether } from "@fairlead/config";
import { type Module, runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { openStore } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { configCompilerConfig, configCompilerProcessConfig } from "./config.ts";
import { createConfigCompiler } from "./module.ts";

await runMain(async () => {
  const [config, { natsUrl, databaseUrl, otlpEndpoint }] = loadTogether(
    configCompilerConfig,
    configCompilerProcessConfig,
  );
  const telemetry = startTelemetry({ service: "config-compiler", otlpEndpoint });
  const logger = createLogger({ service: "config-compiler", level: config.logLevel });
  const bus = await connectNats({ servers: natsUrl, name: "config-compiler", logger });
  const store = await openStore({ url: databaseUrl, logger });
  const compiler = createConfigCompiler(config, { bus, store, logger, telemetry });
  const module: Module = {
    name: compiler.name,
    start: async () => await compiler.start(),
    async stop() {
      await compiler.stop();
      await Promise.all([bus.close(), store.close(), telemetry.shutdown()]);
    },
  };
  return { module, logger };
});
