import type { Bus } from "@fairlead/bus";
import { createHttpApi, errorAnswer, type HttpApi, httpLimitsOf } from "@fairlead/http-api";
import { type Module, ModuleGroup } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { originText } from "@fairlead/registration";
import type { Store } from "@fairlead/store";
import type { Telemetry } from "@fairlead/telemetry";
import { addBridgeRoutes } from "./api/bridge-routes.ts";
import { addConvergenceRoutes } from "./api/convergence-routes.ts";
import { withErrNo } from "./api/error-bodies.ts";
import { addExplainRoutes } from "./api/explain-routes.ts";
import { addListRoutes } from "./api/list-routes.ts";
import { addPolicyRoutes, takePolicyText } from "./api/policy-routes.ts";
import { addRefusalRoutes } from "./api/refusal-routes.ts";
import { addMosnRoutes, addNodeRoutes } from "./api/registration-routes.ts";
import { RegistryBridge } from "./bridge/registry-bridge.ts";
import { RetiredRegistries } from "./bridge/retired-registries.ts";
import { CompilerView } from "./compiler-view.ts";
import type { RegistrySyncConfig } from "./config.ts";
import { ConvergenceTracker } from "./convergence/convergence-tracker.ts";
import { MeshConvergence } from "./convergence/mesh-convergence.ts";
import { ConvergenceFeed } from "./convergence-feed.ts";
import { ConvergenceWaits } from "./convergence-waits.ts";
import { CallExplainer } from "./live/call-explainer.ts";
import { LiveConfig } from "./live/live-config.ts";
import { GatewayHosts } from "./gateway-hosts.ts";
import { OutboxPublisher } from "./outbox-publisher.ts";
import { Policies } from "./policies.ts";
import { JobQueue } from "./policy-work/job-queue.ts";
import { Registrations } from "./registrations.ts";
import { RefusalHistory } from "./refusals/refusal-history.ts";
import { RegistryMetrics } from "./registry-metrics.ts";
import { RejectedObjects } from "./rejected-objects.ts";
import { StoreMonitor } from "./store-monitor.ts";
import { Sweeper } from "./sweeper.ts";

export { type RegistrySyncConfig, registrySyncConfig } from "./config.ts";

/** Of the thread that parses long policies; the text itself is limited by `maxPolicyBytes`. */
const parserLimits = { timeoutMs: 5000, maxMemoryMb: 512, maxWaiting: 16 };

export interface RegistrySyncResources {
  readonly bus: Bus;
  readonly store: Store;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "serveMetrics">;
}

export interface RegistrySync extends Module {
  /** Where the HTTP API answers; empty before the start. */
  readonly url: string;
}

/**
 * Takes registrations and policies over HTTP into the catalogue, announces them, and says when proxies have them. Any number
 * may run on one database. It starts, and stays up, without PostgreSQL and without the bus; both stay the caller's to close.
 */
export function createRegistrySync(config: RegistrySyncConfig, resources: RegistrySyncResources): RegistrySync {
  const { bus, store, logger, telemetry } = resources;
  const metrics = new RegistryMetrics();
  const tracker = new ConvergenceTracker({ logger, refusalGraceMs: config.refusalGrace });
  const refusals = new RefusalHistory({
    onRefused({ node, type, resources: names, reason, objects }, repeated) {
      metrics.refused(type);
      // One that refuses whatever comes would fill the log.
      const level = repeated ? "debug" : "warn";
      logger[level]({ node, type, names, reason, objects: objects.map(originText) }, "a proxy refused configuration");
    },
  });
  metrics.standingRefusals(() => refusals.standing.length);
  const registeredProxies = async () => await store.liveProxies(config.leaseTtl);
  const meshConvergence = new MeshConvergence({
    tracker,
    registeredProxies,
    leaseTtlMs: config.leaseTtl,
    availableForMs: () => monitor.availableForMs(),
  });
  const waits = new ConvergenceWaits({ convergence: meshConvergence, maxWaiters: config.maxWaiters, metrics });
  const registrations = new Registrations({ ...config, store, leaseTtlMs: config.leaseTtl, metrics });
  const previewer = new JobQueue({
    databaseUrl: store.url,
    timeoutMs: config.previewTimeout,
    maxMemoryMb: config.previewMemoryMb,
    maxWaiting: config.maxWaitingPreviews,
  });
  // A thread of its own: an apply does not wait for dry runs.
  const parser = new JobQueue({ databaseUrl: store.url, ...parserLimits });
  const compiler = new CompilerView({ store, bus, rejected: new RejectedObjects({ worker: previewer }), logger });
  const live = new LiveConfig({ bus, logger });
  const explainer = new CallExplainer({ live, worker: parser, store });
  const policies = new Policies({ store, metrics, parser, previewer, live });
  const monitor = new StoreMonitor({ store, logger });
  const sweeper = new Sweeper({
    ...config,
    store,
    monitor,
    leaseTtlMs: config.leaseTtl,
    serviceRetentionMs: config.serviceRetention,
    metrics,
    logger,
  });
  const publisher = new OutboxPublisher({ bus, outbox: store, monitor, metrics, logger });
  const feed = new ConvergenceFeed(bus, tracker, refusals, logger);

  const bridges = config.bridges.map(
    (registry) =>
      new RegistryBridge({
        registry,
        origin: config.meshName,
        store,
        removalDelayMs: config.bridgeRemovalDelay,
        lossHoldMs: config.bridgeLossHold,
        sessionTimeoutMs: config.bridgeSessionTimeout,
        logger,
      }),
  );
  const retired = new RetiredRegistries({
    bridged: config.bridges.map(({ name }) => name),
    store,
    delayMs: config.bridgeRetireDelay,
    logger,
  });
  metrics.bridges(() => bridges.map(({ status }) => status));

  const readiness = () => ({
    waitingFor: [
      ...(monitor.trouble === undefined ? [] : [monitor.trouble]),
      ...(bus.state === "connected" ? [] : ["the bus"]),
    ],
  });

  async function createApi(): Promise<HttpApi> {
    const api = await createHttpApi({
      name: "registry-sync",
      description: "Registrations, policies and their convergence.",
      logger,
      telemetry,
      readiness,
      limits: httpLimitsOf(config),
    });
    const { fastify } = api;
    // Text is not what any operation takes; fastify would pass it on as a string.
    fastify.removeContentTypeParser("text/plain");
    fastify.addHook("onSend", async (_request, reply, payload) => {
      if (reply.statusCode === 503) reply.header("retry-after", "1");
      return payload;
    });
    // Each group has its own way to read bodies, or to answer one that cannot be read.
    await fastify.register(async (scope) => {
      scope.setErrorHandler(async (caught, request, reply) => {
        const { status, body, error } = errorAnswer(caught, request);
        return await reply.code(status).send(withErrNo(body, error));
      });
      addMosnRoutes(scope, registrations, waits);
    });
    await fastify.register(async (scope) => {
      takePolicyText(scope);
      addPolicyRoutes(scope, policies, waits, config.maxPolicyBytes);
    });
    addNodeRoutes(fastify, registrations, waits);
    addListRoutes(fastify, store);
    addConvergenceRoutes(fastify, {
      tracker,
      meshConvergence,
      waits,
      compiler,
      store,
      registeredProxies,
      gatewayProxies: { hosts: new GatewayHosts(config.gatewayHosts), logger },
    });
    addRefusalRoutes(fastify, refusals);
    addBridgeRoutes(fastify, () => bridges.map(({ status }) => status));
    addExplainRoutes(fastify, explainer);
    return api;
  }

  let url = "";
  let api: HttpApi | undefined;
  const group = new ModuleGroup("registry-sync", [
    {
      name: "store and feed",
      async start() {
        monitor.start();
        feed.start();
      },
      async stop() {
        await Promise.all([monitor.stop(), feed.stop()]);
      },
    },
    {
      name: "background work",
      async start() {
        publisher.start();
        sweeper.start();
      },
      async stop() {
        await Promise.all([publisher.stop(), sweeper.stop()]);
      },
    },
    {
      name: "bridges",
      async start() {
        for (const bridge of bridges) bridge.start();
        retired.start();
      },
      async stop() {
        await Promise.all([retired.stop(), ...bridges.map((bridge) => bridge.stop())]);
      },
    },
    {
      name: "policy work",
      start: async () => undefined,
      async stop() {
        await Promise.all([previewer.stop(), parser.stop(), live.stop()]);
      },
    },
    {
      name: "http",
      async start() {
        api = await createApi();
        const port = await api.listen(config.bind, config.httpPort);
        url = `http://${config.bind.includes(":") ? `[${config.bind}]` : config.bind}:${port}`;
        logger.info({ url }, "registry-sync listens");
      },
      async stop() {
        await api?.close();
      },
    },
  ]);
  return {
    name: group.name,
    get url() {
      return url;
    },
    start: async () => await group.start(),
    stop: async () => await group.stop(),
  };
}
