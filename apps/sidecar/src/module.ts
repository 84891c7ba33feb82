import { FairleadError } from "@fairlead/errors";
import {
  type EpochLink,
  listenHandedOver,
  type ReplaceableModule,
  reportWhile,
  type ServingProcess,
} from "@fairlead/hot-restart";
import { browserRefusal, errorAnswer, type HttpApi, type HttpApiOptions, httpLimitsOf } from "@fairlead/http-api";
import type { Logger } from "@fairlead/logging";
import { OperatedProxy } from "@fairlead/proxy-admin";
import { createDataPlane, optionsOf } from "@fairlead/proxy-runtime";
import type { NodeBody } from "@fairlead/registration";
import packageJson from "../package.json" with { type: "json" };
import { createLocalApi } from "./api/local-api.ts";
import type { SidecarConfig } from "./config.ts";
import { Deadline, within } from "./deadline.ts";
import { filterModuleUrl } from "./filter-modules.ts";
import { nodeOf } from "./node-identity.ts";
import { missingToServe } from "./readiness.ts";
import { InboundOfRuntime } from "./registration/local-proxy.ts";
import { NodeLease } from "./registration/node-lease.ts";
import { Publications } from "./registration/publications.ts";
import { Registrations } from "./registration/registrations.ts";
import { Subscriptions } from "./registration/subscriptions.ts";
import { RegistryClient } from "./registry/registry-client.ts";

export { sidecarConfig, type SidecarConfig } from "./config.ts";

/** Of the time for a stop, the share for callers to turn away; the rest is for calls under way. */
const withdrawShare = 0.7;
const removeNodeTimeoutMs = 2000;
const adoptTimeoutMs = 10_000;
/** How long the next process waits for calls of the local API that this one still answers. */
const lastLocalCallsMs = 1000;

export interface SidecarResources extends Partial<ServingProcess> {
  /** Its level is what POST /logging changes. */
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
}

export interface Sidecar extends ReplaceableModule {
  /** As it registers itself. */
  readonly node: NodeBody;
  /** Where the local API listens; 0 before `start`. */
  readonly apiPort: number;
  /** Where the admin pages listen; 0 before `start`. */
  readonly adminPort: number;
  /** What it waits for before it takes calls; empty = ready. */
  waitingFor(): readonly string[];
}

/**
 * The proxy beside one application, and that application's door to the registry.
 *
 * `start` resolves when the local API listens. The control plane need not be there yet: `waitingFor` (and /readyz) tell.
 * `stop` withdraws all publications, waits for calls under way, and removes the node, within `drainTimeout`.
 */
export function createSidecar(config: SidecarConfig, resources: SidecarResources): Sidecar {
  const { logger, epoch } = resources;
  const now = () => performance.now();
  const node = nodeOf(config);
  const runtime = createDataPlane({
    logger,
    nodeId: node.id,
    ...optionsOf(config, epoch),
    modules: () => config.filterModules.map((module) => filterModuleUrl(module)),
  });
  const registry = new RegistryClient({ urls: config.registryUrl, node });
  const publications = new Publications({ registry, proxy: new InboundOfRuntime(runtime), nodeId: node.id, now });
  const subscriptions = new Subscriptions(registry);
  const adopt = async (signal: AbortSignal): Promise<void> => {
    const held = await registry.held({ signal });
    subscriptions.adopt(held.subscriptions);
    publications.adopt(held.publications);
  };
  const lease = new NodeLease({
    registry,
    ttlMs: config.leaseTtl,
    logger,
    adopt,
    restore: async (signal) => {
      await subscriptions.restore({ signal });
      publications.restore();
    },
  });
  const registrations = new Registrations({ node, publications, subscriptions, lease });

  let retired: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;
  let registers = false;
  let api: HttpApi | undefined;
  let apiPort = 0;
  let adminPort = 0;

  const failed = (what: string) => (error: unknown) => logger.error({ err: error }, `${what} failed`);
  const quit = resources.quit ?? (() => void stop().catch(failed("stopping")));
  const proxy = new OperatedProxy({
    program: "sidecar",
    version: packageJson.version,
    node,
    runtime,
    settings: config,
    logger,
    epoch,
    manners: { refusalOf: browserRefusal, answerOf: errorAnswer },
    serveMetrics: (request, response) => resources.telemetry.serveMetrics(request, response),
    missing: missingToServe,
    quit,
  });

  const release = async (): Promise<void> => {
    proxy.ads.stop();
    publications.close();
    await lease.stop();
    await Promise.all([api?.close(), proxy.close()]);
  };

  const shutDown = async (): Promise<void> => {
    const deadline = new Deadline(config.drainTimeout, now);
    proxy.beginEnd();
    registrations.beginStop();
    const left = await publications.withdrawAll(config.drainTimeout * withdrawShare);
    for (const { service, waitingFor: step, error } of left) {
      logger.warn(
        { interface: service.interface, waiting_for: step, reason: error?.message },
        "not withdrawn in time; it goes with the node",
      );
    }
    await lease.stop();
    // From here on the node's configuration goes; the listeners drain on their own.
    proxy.ads.stop();
    const removed = registry
      .removeNode({ signal: AbortSignal.timeout(removeNodeTimeoutMs) })
      .catch((caught: unknown) => {
        const { code, message } = FairleadError.from(caught);
        logger.warn({ code, reason: message }, "the node could not be removed; its lease will end");
      });
    await Promise.all([removed, within(deadline.remainingMs, runtime.drain(), () => undefined)]);
    await release();
  };
  /** What is registered is another process's. */
  const leave = async (): Promise<void> => {
    await within(config.drainTimeout, runtime.drain(), () => undefined);
    await release();
  };
  const stop = async (): Promise<void> => await (stopped ??= registers && retired === undefined ? shutDown() : leave());

  const handOver = async (link: EpochLink): Promise<void> => {
    const drained = proxy.drain({ strategy: "gradual" });
    proxy.admin.stopAccepting();
    await Promise.all([
      lease.stop(),
      within(lastLocalCallsMs, api?.stopAccepting() ?? Promise.resolve(), () => undefined),
    ]);
    link.handedOver();
    await reportWhile(link, () => proxy.report(), drained);
  };

  /** The local API and the admin pages, and what registers. */
  const doors = {
    admin: { name: "admin", address: config.bind, port: config.adminPort },
    api: { name: "api", address: config.bind, port: config.apiPort },
  };
  const openDoors = async (): Promise<void> => {
    adminPort = await listenHandedOver(proxy.admin, doors.admin, epoch);
    api = await createLocalApi({
      registrations,
      readiness: () => ({ waitingFor: proxy.waitingFor() }),
      logger,
      telemetry: resources.telemetry,
      rpcPorts: config,
      limits: httpLimitsOf(config),
    });
    apiPort = await listenHandedOver(api, doors.api, epoch);
  };
  const begin = (): void => {
    registers = true;
    lease.start();
    logger.info({ node: node.id, api_port: apiPort, admin_port: adminPort }, "sidecar started");
  };

  return {
    name: "sidecar",
    node,
    get apiPort() {
      return apiPort;
    },
    get adminPort() {
      return adminPort;
    },
    waitingFor: () => proxy.waitingFor(),
    async start() {
      for (const module of config.filterModules) await import(filterModuleUrl(module));
      // The doors of the one before this one are open until it hands over; callers wait in the sockets' queues meanwhile.
      const waits = epoch?.replaces === true;
      try {
        // What is not asked for goes with the one before.
        if (waits) await Promise.all([epoch.take(doors.admin), epoch.take(doors.api)]);
        else await openDoors();
      } catch (error) {
        await stop();
        throw error;
      }
      proxy.start();
      if (waits) {
        void epoch.parentHandedOver
          .then(openDoors)
          .then(begin)
          // What the one before this one was still asked to register.
          .then(async () => await epoch.parentGone)
          .then(
            async () => await adopt(AbortSignal.timeout(adoptTimeoutMs)).catch(failed("adopting what is registered")),
          )
          .catch((error: unknown) => {
            logger.fatal({ err: error }, "the local API and the admin pages could not be taken over");
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
