import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { FairleadError } from "@fairlead/errors";
import type { Bus } from "@fairlead/bus";
import { createHttpApi, type HttpApi } from "@fairlead/http-api";
import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { SnapshotReplica } from "@fairlead/snapshot";
import { detached, type Telemetry } from "@fairlead/telemetry";
import { AdsServer } from "./ads-server.ts";
import { acceptEveryone, type Authenticate } from "./authenticate.ts";
import { BucketWatch } from "./bucket-watch.ts";
import { type AdsGatewayConfig, defaultNewStreamRate } from "./config.ts";
import { ConnectionTable } from "./connection-table.ts";
import { ClientStatus } from "./csds.ts";
import { addClientStatusService } from "./csds-service.ts";
import { addDebugRoutes } from "./debug-api.ts";
import { addDiscoveryServices } from "./discovery-services.ts";
import { adsGatewayErrors } from "./errors.ts";
import { GatewayMetrics } from "./gateway-metrics.ts";
import { GrpcListener } from "./grpc-listener.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { type StatusFacts, StatusPublisher } from "./status-publisher.ts";
import { StreamAdmission } from "./stream-admission.ts";

export { acceptEveryone, type Authenticate, type PeerIdentity, type StreamPeer } from "./authenticate.ts";
export { type AdsGatewayConfig, adsGatewayConfig, adsGatewayProcessConfig } from "./config.ts";
export { adsGatewayErrors };

export interface AdsGatewayResources {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "serveMetrics">;
  /** @default every peer is the node that it says it is */
  readonly authenticate?: Authenticate;
}

export interface AdsGateway extends Module {
  /** Unique to this process. */
  readonly gatewayId: string;
  /** Where proxies connect; 0 before the start. */
  readonly grpcPort: number;
  /** Where /debug, /metrics and /readyz answer; empty before the start. */
  readonly debugUrl: string;
}

/** What the streams of a connection that is sent away are ended with. */
const leavingErrors = {
  age: () => new FairleadError("FL_CONNECTION_OLD", "this connection is old; connect again"),
  drain: () => new FairleadError("FL_GATEWAY_STOPPING", "this gateway is shutting down"),
  idle: () => new FairleadError("FL_GATEWAY_STOPPING", "this connection is idle"),
  not_reading: () =>
    new FairleadError("FL_PROXY_NOT_READING", "another stream of this connection does not read; connect again"),
};
const leavingReasons = { age: "age", drain: "stopping", idle: "stopping", not_reading: "shared" } as const;

/** What a status tells of the streams. Made as it is read: of thousands that are pending most are only counted. */
function standingOf(table: ConnectionTable): Pick<StatusFacts, "pending" | "refusals"> {
  const of = function* <T>(read: (connection: ProxyConnection) => readonly T[]) {
    for (const connection of table.pending) {
      const nodeId = connection.facts?.nodeId ?? "";
      for (const one of read(connection)) yield { nodeId, ...one };
    }
  };
  return { pending: of((connection) => connection.pending()), refusals: of((connection) => connection.refusals()) };
}

/** Serves what config-compiler wrote to the bus, over ADS. Any number may run; each serves the proxies that connect to it. */
export function createAdsGateway(config: AdsGatewayConfig, resources: AdsGatewayResources): AdsGateway {
  const { bus, logger, telemetry } = resources;
  const gatewayId = `${hostname()}-${randomBytes(4).toString("hex")}`;
  const table = new ConnectionTable((nodeId) => replica.scopeOf(nodeId));
  let grpcPort = 0;
  let debugUrl = "";

  const replica = new SnapshotReplica({
    onCommit: (commit) => server.committed(commit),
    onSkipped: (bucketKey, err) =>
      logger.error({ bucketKey, err }, "bucket entry cannot be read; what was known stays"),
  });
  const metrics = new GatewayMetrics({
    connectedProxies: () => table.named,
    pendingProxies: () => table.pending.size,
    revision: () => replica.revision,
    connections: () => listener.connections,
    pushQueue: () => server.pushStatus.queue,
  });
  const status = new StatusPublisher({
    bus,
    logger,
    read: () => ({
      gatewayId,
      debugUrl: config.advertisedDebugUrl ?? debugUrl,
      revision: replica.revision,
      connected: table.named,
      nodeIds: table.nodeIds(),
      nodeIdsVersion: table.nodeIdsVersion,
      ...standingOf(table),
    }),
  });
  const admission = new StreamAdmission({
    perSecond: config.newStreamRate ?? defaultNewStreamRate(),
    maxWaitMs: config.newStreamWait,
    logger,
    onRefused: () => metrics.ended("refused"),
  });
  const listener = new GrpcListener({
    maxConnections: config.maxConnections,
    maxWithoutStream: config.maxIdleConnections,
    maxStreamsPerConnection: config.maxStreamsPerConnection,
    idleMs: config.connectionIdleTimeout,
    maxAgeMs: config.maxConnectionAge,
    keepaliveMs: config.keepaliveTime,
    keepaliveTimeoutMs: config.keepaliveTimeout,
    graceMs: config.drainTimeout,
    onLeaving: (peer, why) => {
      const error = leavingErrors[why]();
      for (const connection of table.ofPeer(peer)) connection.end(error, leavingReasons[why]);
    },
    addServices: (grpc) => {
      addDiscoveryServices(grpc, (call, createStream) => {
        listener.streamOpened(call);
        admission.admit(call, () => server.open(call, createStream));
      });
      const clientStatus = new ClientStatus({ table, replica });
      addClientStatusService(grpc, {
        status: clientStatus,
        identify: (call) => server.identify(call),
        onStream: (call) => listener.streamOpened(call),
      });
    },
  });
  const server = new AdsServer({
    config,
    gatewayId,
    replica,
    table,
    authenticate: resources.authenticate ?? acceptEveryone,
    metrics,
    logger,
    cut: (peer) => listener.sendAway(peer),
    onStatus: () => status.changed(),
  });
  const watch = new BucketWatch(bus, logger);
  let api: HttpApi | undefined;

  return {
    name: "ads-gateway",
    gatewayId,
    get grpcPort() {
      return grpcPort;
    },
    get debugUrl() {
      return debugUrl;
    },
    async start() {
      api = await createHttpApi({
        name: "ads-gateway",
        description: "Serves compiled resources to proxies over ADS.",
        logger,
        telemetry,
        readiness: () => ({ waitingFor: replica.synced ? [] : ["the first configuration from config-compiler"] }),
      });
      addDebugRoutes(api, { gatewayId, table, replica, pushStatus: () => server.pushStatus });
      try {
        const httpPort = await api.listen(config.bind, config.httpPort);
        debugUrl = `http://${config.bind.includes(":") ? `[${config.bind}]` : config.bind}:${httpPort}`;
        grpcPort = await listener.listen(config.bind, config.grpcPort);
      } catch (error) {
        await api.close();
        throw error;
      }
      detached(() => {
        watch.start(replica);
        status.start();
      });
      logger.info({ gatewayId, grpcPort, debugUrl }, "ads-gateway listens");
    },
    async stop() {
      await listener.drain(config.drainSpread);
      await watch.stop();
      await status.stop();
      server.stop();
      await listener.close(config.drainTimeout);
      await api?.close();
    },
  };
}
