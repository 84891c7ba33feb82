import { browserRefusal, errorAnswer, type HttpApiOptions } from "@fairlead/http-api";
import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { AdminServer, proxyPages, serverStateOf, waitsForConfig } from "@fairlead/proxy-admin";
import { defaultAccessLog, ProxyRuntime } from "@fairlead/proxy-runtime";
import { AdsClient, LastGoodConfig } from "@fairlead/proxy-xds-client";
import type { NodeBody } from "@fairlead/registration";
import { RegistryCaller } from "@fairlead/registry-client";
import packageJson from "../package.json" with { type: "json" };
import type { EdgeGatewayConfig } from "./config.ts";
import { nodeOf } from "./node-identity.ts";
import { NodePresence } from "./node-presence.ts";

export { edgeGatewayConfig, type EdgeGatewayConfig } from "./config.ts";

export interface EdgeGatewayResources {
  /** Its level is what POST /logging changes. */
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
  /** What POST /quitquitquit does. @default stop the module */
  readonly quit?: () => void;
}

export interface EdgeGateway extends Module {
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
  const { logger, telemetry } = resources;
  const node = nodeOf(config);
  const runtime = new ProxyRuntime({
    logger,
    nodeId: node.id,
    drainTimeoutMs: config.drainTimeout,
    ...(config.accessLog === undefined ? {} : { accessLogs: [defaultAccessLog(config.accessLog)] }),
  });
  const lastGood = config.lastGoodConfig === undefined ? undefined : new LastGoodConfig(config.lastGoodConfig, logger);
  const ads = new AdsClient({
    addresses: config.adsAddress,
    node: { id: node.id, cluster: node.app, metadata: { labels: { ...node.labels } }, version: packageJson.version },
    consumer: runtime,
    logger,
    initialFetchTimeoutMs: config.initialFetchTimeout,
    variant: "delta",
    ...(lastGood === undefined ? {} : { lastGood }),
  });
  const registry = new RegistryCaller(config.registryUrl);
  const presence = new NodePresence({ registry, node, leaseTtlMs: config.leaseTtl, logger });

  let draining = false;
  let started = false;
  let stopped: Promise<void> | undefined;
  let adminPort = 0;

  const waitingFor = (): readonly string[] => {
    if (draining) return ["nothing: it is draining"];
    const missing = waitsForConfig(ads.state());
    if (missing.length > 0) return missing;
    return runtime
      .listeners()
      .filter(({ state }) => state === "warming")
      .map(({ name }) => `listener ${name}`);
  };
  const state = () => serverStateOf(draining, waitingFor());
  const drain = async (): Promise<void> => {
    draining = true;
    await runtime.drain();
  };
  const failed = (what: string) => (error: unknown) => logger.error({ err: error }, `${what} failed`);
  const pages = proxyPages({
    program: "edge-gateway",
    node,
    version: packageJson.version,
    runtime,
    ads: () => ads.state(),
    state,
    waitingFor,
    logger,
    serveMetrics: (request, response) => telemetry.serveMetrics(request, response),
    drain: () => void drain().catch(failed("draining")),
    quit: resources.quit ?? (() => void stop().catch(failed("stopping"))),
  });
  const admin = new AdminServer(pages, {
    refusalOf: browserRefusal,
    answerOf: errorAnswer,
    onFailure: (error) => logger.error({ err: error }, "admin page failed"),
  });
  const reopenLogs = (): void => void runtime.reopenLogs().catch(failed("opening the access log again"));

  const shutDown = async (): Promise<void> => {
    process.off("SIGUSR1", reopenLogs);
    if (started) {
      // First what is under way: the configuration that it goes by must stay until it is done.
      await drain();
      await presence.stop();
    }
    ads.stop();
    await Promise.all([admin.close(), runtime.close(), lastGood?.flush()]);
  };
  const stop = async (): Promise<void> => await (stopped ??= shutDown());

  return {
    name: "edge-gateway",
    node,
    get adminPort() {
      return adminPort;
    },
    waitingFor,
    async start() {
      try {
        adminPort = await admin.listen(config.adminBind, config.adminPort);
      } catch (error) {
        await stop();
        throw error;
      }
      started = true;
      process.on("SIGUSR1", reopenLogs);
      ads.start();
      presence.start();
      logger.info({ node: node.id, admin_port: adminPort }, "edge-gateway started");
    },
    stop,
  };
}
