/**
 * The control plane of `fairlead up`: registry-sync, config-compiler and ads-gateway on the in-process bus, in one process that
 * may be ended and started again while traffic flows. PostgreSQL is beside it.
 */
import { adsGatewayConfig, createAdsGateway } from "@fairlead/ads-gateway";
import { InProcessBus } from "@fairlead/bus";
import { configCompilerConfig, createConfigCompiler } from "@fairlead/config-compiler";
import { type Module, ModuleGroup, runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { createRegistrySync, registrySyncConfig } from "@fairlead/registry-sync";
import { openStore } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { controlPlaneConfig } from "./config.ts";

await runMain(async () => {
  const config = controlPlaneConfig.load();
  const telemetry = startTelemetry({ service: "fairlead-control-plane", otlpEndpoint: config.otlpEndpoint });
  const logger = createLogger({ service: "control-plane", level: config.logLevel });
  const bus = new InProcessBus();
  const store = await openStore({ url: config.databaseUrl, logger });
  const shared = { bus, store, telemetry };

  const environment = (ports: Readonly<Record<string, number>>) => ({
    ...process.env,
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  });
  const loggerOf = (service: string) => createLogger({ service, level: config.logLevel });
  const services = new ModuleGroup("control plane", [
    createRegistrySync(registrySyncConfig.load(environment({ FAIRLEAD_HTTP_PORT: config.registryPort })), {
      ...shared,
      logger: loggerOf("registry-sync"),
    }),
    createConfigCompiler(configCompilerConfig.load(environment({ FAIRLEAD_HTTP_PORT: config.compilerPort })), {
      ...shared,
      logger: loggerOf("config-compiler"),
    }),
    createAdsGateway(
      adsGatewayConfig.load(
        environment({ FAIRLEAD_GRPC_PORT: config.adsPort, FAIRLEAD_HTTP_PORT: config.adsDebugPort }),
      ),
      { bus, telemetry, logger: loggerOf("ads-gateway") },
    ),
  ]);
  const module: Module = {
    name: services.name,
    async start() {
      await store.migrate();
      await services.start();
    },
    async stop() {
      await services.stop();
      await Promise.all([bus.close(), store.close(), telemetry.shutdown()]);
    },
  };
  return { module, logger };
});
