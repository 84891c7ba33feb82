import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Bus, type BusSubscription, subjects } from "@fairlead/bus";
import { createHttpApi, type HttpApi, httpLimitsOf } from "@fairlead/http-api";
import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import type { CatalogueReader } from "@fairlead/store";
import type { Telemetry } from "@fairlead/telemetry";
import { CompileLoop } from "./compile-loop.ts";
import type { CompilerRole } from "./compiler-role.ts";
import { CompilerMetrics } from "./compiler-metrics.ts";
import type { ConfigCompilerConfig } from "./config.ts";

export { type ConfigCompilerConfig, configCompilerConfig } from "./config.ts";
export type { CompilerRole } from "./compiler-role.ts";

export interface ConfigCompilerResources {
  readonly bus: Bus;
  readonly store: CatalogueReader;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "serveMetrics">;
}

export interface ConfigCompiler extends Module {
  readonly role: CompilerRole;
  /** The last revision that it committed. */
  readonly revision: number;
  /** Where /readyz and /metrics answer; empty before the start. */
  readonly url: string;
}

/** Turns the catalogue into xDS resources on the bus. Any number may run: one is active, the others stand by and are ready too. */
export function createConfigCompiler(config: ConfigCompilerConfig, resources: ConfigCompilerResources): ConfigCompiler {
  const { bus, store, logger, telemetry } = resources;
  const loop = new CompileLoop({
    store,
    bus,
    logger,
    metrics: new CompilerMetrics(),
    compilerId: `${hostname()}-${randomUUID().slice(0, 8)}`,
    pollIntervalMs: config.pollInterval,
    hotStandby: config.hotStandby,
  });
  let api: HttpApi | undefined;
  let hints: BusSubscription | undefined;
  let url = "";

  return {
    name: "config-compiler",
    get role() {
      return loop.role;
    },
    get revision() {
      return loop.revision;
    },
    get url() {
      return url;
    },
    async start() {
      api = await createHttpApi({
        name: "config-compiler",
        description: "Turns the catalogue into xDS resources on the bus.",
        logger,
        telemetry,
        limits: httpLimitsOf(config),
        readiness: () => ({
          waitingFor: [
            ...(loop.trouble === undefined ? [] : [loop.trouble]),
            ...(loop.isWarm ? [] : ["the first compile"]),
          ],
        }),
      });
      const port = await api.listen(config.bind, config.httpPort);
      url = `http://${config.bind}:${port}`;
      hints = bus.subscribe(subjects.registryChanged, () => loop.hint());
      loop.start();
    },
    async stop() {
      await hints?.stop();
      await loop.stop();
      await api?.close();
    },
  };
}
