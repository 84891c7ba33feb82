import { FairleadError } from "@fairlead/errors";
import { type HttpApi, type HttpApiOptions, httpLimitsOf } from "@fairlead/http-api";
import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { serverStateOf } from "@fairlead/proxy-admin";
import { defaultAccessLog, ProxyRuntime } from "@fairlead/proxy-runtime";
import { AdsClient, LastGoodConfig } from "@fairlead/proxy-xds-client";
import type { NodeBody } from "@fairlead/registration";
import packageJson from "../package.json" with { type: "json" };
import { adminPages } from "./admin/admin-pages.ts";
import { AdminServer } from "./admin/admin-server.ts";
import { waitingFor } from "./admin/proxy-state.ts";
import { createLocalApi } from "./api/local-api.ts";
import type { SidecarConfig } from "./config.ts";
import { Deadline, within } from "./deadline.ts";
import { importFilter } from "./filter-modules.ts";
import { nodeOf } from "./node-identity.ts";
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

export interface SidecarResources {
  /** Its level is what POST /logging changes. */
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
  /** What POST /quitquitquit does. @default stop the module */
  readonly quit?: () => void;
}

export interface Sidecar extends Module {
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
  const { logger } = resources;
  const now = () => performance.now();
  const node = nodeOf(config);
  const runtime = new ProxyRuntime({
    logger,
    nodeId: node.id,
    drainTimeoutMs: config.drainTimeout,
    ...(config.accessLog === undefined ? {} : { accessLogs: [defaultAccessLog(config.accessLog)] }),
  });
  const registry = new RegistryClient({ urls: config.registryUrl, node });
  const lastGood = config.lastGoodConfig === undefined ? undefined : new LastGoodConfig(config.lastGoodConfig, logger);
  const ads = new AdsClient({
    addresses: config.adsAddress,
    node: { id: node.id, cluster: node.app, metadata: { labels: { ...node.labels } }, version: packageJson.version },
    consumer: runtime,
    logger,
    initialFetchTimeoutMs: config.initialFetchTimeout,
    variant: config.adsVariant,
    ...(lastGood === undefined ? {} : { lastGood }),
  });
  const publications = new Publications({ registry, proxy: new InboundOfRuntime(runtime), nodeId: node.id, now });
  const subscriptions = new Subscriptions(registry);
  const lease = new NodeLease({
    registry,
    ttlMs: config.leaseTtl,
    logger,
    adopt: async (signal) => {
      const held = await registry.held({ signal });
      subscriptions.adopt(held.subscriptions);
      publications.adopt(held.publications);
    },
    restore: async (signal) => {
      await subscriptions.restore({ signal });
      publications.restore();
    },
  });
  const registrations = new Registrations({ node, publications, subscriptions, lease });

  let draining = false;
  let stopped: Promise<void> | undefined;
  let started = false;
  let api: HttpApi | undefined;
  let apiPort = 0;
  let adminPort = 0;

  const missing = (): readonly string[] => (draining ? ["nothing: it is draining"] : waitingFor(ads.state(), runtime));
  const state = () => serverStateOf(draining, missing());
  const drain = async (): Promise<void> => {
    draining = true;
    await runtime.drain();
  };
  const failed = (what: string) => (error: unknown) => logger.error({ err: error }, `${what} failed`);
  const admin = new AdminServer(
    adminPages({
      node,
      version: packageJson.version,
      runtime,
      ads: () => ads.state(),
      state,
      waitingFor: missing,
      logger,
      telemetry: resources.telemetry,
      drain: () => void drain().catch(failed("draining")),
      quit: resources.quit ?? (() => void stop().catch(failed("stopping"))),
    }),
    logger,
  );

  const reopenLogs = (): void => void runtime.reopenLogs().catch(failed("opening the access log again"));
  const release = async (): Promise<void> => {
    process.off("SIGUSR1", reopenLogs);
    ads.stop();
    publications.close();
    await lease.stop();
    await Promise.all([api?.close(), admin.close(), runtime.close(), lastGood?.flush()]);
  };

  const shutDown = async (): Promise<void> => {
    const deadline = new Deadline(config.drainTimeout, now);
    draining = true;
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
    ads.stop();
    const removed = registry
      .removeNode({ signal: AbortSignal.timeout(removeNodeTimeoutMs) })
      .catch((caught: unknown) => {
        const { code, message } = FairleadError.from(caught);
        logger.warn({ code, reason: message }, "the node could not be removed; its lease will end");
      });
    await Promise.all([removed, within(deadline.remainingMs, runtime.drain(), () => undefined)]);
    await release();
  };
  const stop = async (): Promise<void> => await (stopped ??= started ? shutDown() : release());

  return {
    name: "sidecar",
    node,
    get apiPort() {
      return apiPort;
    },
    get adminPort() {
      return adminPort;
    },
    waitingFor: missing,
    async start() {
      for (const module of config.filterModules) await importFilter(module);
      try {
        adminPort = await admin.listen(config.bind, config.adminPort);
        api = await createLocalApi({
          registrations,
          readiness: () => ({ waitingFor: missing() }),
          logger,
          telemetry: resources.telemetry,
          rpcPorts: config,
          limits: httpLimitsOf(config),
        });
        apiPort = await api.listen(config.bind, config.apiPort);
      } catch (error) {
        await stop();
        throw error;
      }
      started = true;
      process.on("SIGUSR1", reopenLogs);
      ads.start();
      lease.start();
      logger.info({ node: node.id, api_port: apiPort, admin_port: adminPort }, "sidecar started");
    },
    stop,
  };
}
