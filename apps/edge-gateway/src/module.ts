import {
  type EpochLink,
  listenHandedOver,
  type ReplaceableModule,
  reportWhile,
  type ServingProcess,
} from "@fairlead/hot-restart";
import { browserRefusal, errorAnswer, type HttpApiOptions } from "@fairlead/http-api";
import type { Logger } from "@fairlead/logging";
import { OperatedProxy, waitsForConfig } from "@fairlead/proxy-admin";
import { createDataPlane, optionsOf } from "@fairlead/proxy-runtime";
import type { NodeBody } from "@fairlead/registration";
import { RegistryCaller } from "@fairlead/registry-client";
import packageJson from "../package.json" with { type: "json" };
import type { EdgeGatewayConfig } from "./config.ts";
import { nodeOf } from "./node-identity.ts";
import { NodePresence } from "./node-presence.ts";

export { edgeGatewayConfig, type EdgeGatewayConfig } from "./config.ts";

export interface EdgeGatewayResources extends Partial<ServingProcess> {
  /** Its level is what POST /logging changes. */
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
}

export interface EdgeGateway extends ReplaceableModule {
  /** As it registers itself. */
  readonly node: NodeBody;
  /** Where the admin pages listen; 0 before `start`. */
  readonly adminPort: number;
  /** What it waits for before it takes calls; empty = ready. Without a Gateway that selects it, it is ready and listens nowhere. */
  waitingFor(): readonly string[];
}

/**
 * The proxy at the edge: its listeners are what the Gateways that select its labels say.
 *
 * `start` resolves when the admin pages listen; the control plane need not be there yet. `stop` serves what is under way, then removes
 * the node, within `drainTimeout`.
 */
export function createEdgeGateway(config: EdgeGatewayConfig, resources: EdgeGatewayResources): EdgeGateway {
  const { logger, telemetry, epoch } = resources;
  const node = nodeOf(config);
  const runtime = createDataPlane({
    logger,
    nodeId: node.id,
    ...optionsOf(config, epoch),
  });
  const registry = new RegistryCaller(config.registryUrl);
  const presence = new NodePresence({ registry, node, leaseTtlMs: config.leaseTtl, logger });

  let registers = false;
  let retired: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;
  let adminPort = 0;

  const failed = (what: string) => (error: unknown) => logger.error({ err: error }, `${what} failed`);
  const quit = resources.quit ?? (() => void stop().catch(failed("stopping")));
  const proxy = new OperatedProxy({
    program: "edge-gateway",
    version: packageJson.version,
    node,
    runtime,
    settings: { ...config, adsVariant: "delta" },
    logger,
    epoch,
    manners: { refusalOf: browserRefusal, answerOf: errorAnswer },
    serveMetrics: (request, response) => telemetry.serveMetrics(request, response),
    missing: (ads) => {
      const missing = waitsForConfig(ads);
      if (missing.length > 0) return missing;
      return runtime
        .listeners()
        .filter(({ state }) => state === "warming")
        .map(({ name }) => `listener ${name}`);
    },
    quit,
  });

  const shutDown = async (): Promise<void> => {
    // First what is under way: the configuration that it goes by must stay until it is done.
    await proxy.drain();
    // What is registered is another process's, unless this one has begun and was not replaced.
    if (registers && retired === undefined) await presence.stop();
    else await presence.leave();
    await proxy.close();
  };
  const stop = async (): Promise<void> => await (stopped ??= shutDown());

  const handOver = async (link: EpochLink): Promise<void> => {
    const drained = proxy.drain({ strategy: "gradual" });
    proxy.admin.stopAccepting();
    await presence.leave();
    link.handedOver();
    await reportWhile(link, () => proxy.report(), drained);
  };
  const door = { name: "admin", address: config.adminBind, port: config.adminPort };
  const openDoor = async (): Promise<void> => {
    adminPort = await listenHandedOver(proxy.admin, door, epoch);
  };
  const begin = (): void => {
    registers = true;
    presence.start();
    logger.info({ node: node.id, admin_port: adminPort }, "edge-gateway started");
  };

  return {
    name: "edge-gateway",
    node,
    get adminPort() {
      return adminPort;
    },
    waitingFor: () => proxy.waitingFor(),
    async start() {
      // The admin pages of the one before this one are there until it hands over.
      const waits = epoch?.replaces === true;
      try {
        // What is not asked for goes with the one before.
        if (waits) await epoch.take(door);
        else await openDoor();
      } catch (error) {
        await stop();
        throw error;
      }
      proxy.start();
      if (waits) {
        void epoch.parentHandedOver
          .then(openDoor)
          .then(begin)
          .catch((error: unknown) => {
            logger.fatal({ err: error }, "the admin pages could not be taken over");
            quit();
          });
      } else begin();
    },
    warmingFor: () => proxy.warmingFor(),
    retire: async () =>
      await (retired ??= (epoch === undefined ? proxy.drain() : handOver(epoch)).catch(failed("handing over"))),
    stop,
  };
}
