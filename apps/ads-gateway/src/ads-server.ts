import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import type { ReplicaCommit, SnapshotReplica } from "@fairlead/snapshot";
import { detached, startSpan } from "@fairlead/telemetry";
import type { Authenticate } from "./authenticate.ts";
import type { AdsGatewayConfig } from "./config.ts";
import { ConnectionTable } from "./connection-table.ts";
import { Debounce } from "./debounce.ts";
import type { DiscoveryCall } from "./discovery-call.ts";
import type { CreateStream } from "./discovery-services.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import { type ConnectionContext, ProxyConnection } from "./proxy-connection.ts";
import { PushQueue } from "./push-queue.ts";

export interface AdsServerOptions {
  readonly config: Pick<
    AdsGatewayConfig,
    "ackTimeout" | "sendTimeout" | "debounceQuiet" | "debounceMax" | "pushConcurrency" | "maxStreams"
  >;
  readonly gatewayId: string;
  readonly replica: SnapshotReplica;
  readonly table: ConnectionTable;
  readonly authenticate: Authenticate;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Cuts a peer's connection. */
  readonly cut: (peer: string) => void;
  /** What the status tells has changed. */
  readonly onStatus: () => void;
}

/**
 * Streams on one side, commits on the other:
 *
 *   commit → announce to the streams that it touches (pending from then on) → debounce → push queue → write
 */
export class AdsServer {
  readonly #options: AdsServerOptions;
  readonly #context: ConnectionContext;
  readonly #queue: PushQueue<ProxyConnection>;
  readonly #debounce: Debounce;
  /** Announced to, and not in the queue yet. */
  readonly #announced = new Set<ProxyConnection>();
  #streams = 0;
  #stopping = false;

  constructor(options: AdsServerOptions) {
    this.#options = options;
    const { config, replica, table, metrics, logger, cut, onStatus } = options;
    this.#queue = new PushQueue({
      concurrency: config.pushConcurrency,
      push: async (connection, queuedMs) => {
        metrics.queued(queuedMs);
        await connection.push();
      },
    });
    this.#debounce = new Debounce({
      quietMs: config.debounceQuiet,
      maxMs: config.debounceMax,
      fire: () => this.#enqueueAnnounced(),
    });
    this.#context = {
      replica,
      metrics,
      logger,
      sendTimeoutMs: config.sendTimeout,
      onNamed: (connection) => {
        table.name(connection, connection.facts?.nodeId ?? "");
        onStatus();
      },
      onProgress: (connection) => {
        if (table.notePending(connection)) onStatus();
      },
      onClosed: (connection) => {
        table.delete(connection);
        this.#announced.delete(connection);
        this.#queue.forget(connection);
        logger.info(
          { node: connection.facts?.nodeId, peer: connection.peer, connection: connection.id },
          "proxy disconnected",
        );
        onStatus();
      },
      cut,
    };
  }

  /** Serves a new stream, or refuses it. */
  open(call: DiscoveryCall, createStream: CreateStream): void {
    // A stream lives on its own: it is in nobody's trace.
    detached(() => {
      const { table, logger, metrics, authenticate } = this.#options;
      try {
        this.#admit();
        const identity = authenticate({ address: call.getPeer(), metadata: call.metadata });
        if (identity === undefined)
          throw new FairleadError("FL_XDS_UNAUTHENTICATED", "the peer did not prove who it is");
        const id = String(++this.#streams);
        const { gatewayId: controlPlane, config } = this.#options;
        const stream = createStream({ controlPlane, noncePrefix: id, ackTimeoutMs: config.ackTimeout });
        table.add(new ProxyConnection({ id, call, identity, stream }, this.#context));
      } catch (caught) {
        const error = FairleadError.from(caught);
        logger.info({ code: error.code, reason: error.message, peer: call.getPeer() }, "stream refused");
        metrics.ended("refused");
        call.emit("error", grpcStatusOf(error));
      }
    });
  }

  #admit(): void {
    const { replica, table, config } = this.#options;
    if (this.#stopping) throw new FairleadError("FL_GATEWAY_STOPPING", "this gateway is shutting down");
    if (!replica.synced) throw new FairleadError("FL_GATEWAY_NOT_SYNCED", "this gateway has no configuration yet");
    if (table.size >= config.maxStreams)
      throw new FairleadError("FL_GATEWAY_FULL", `this gateway has ${table.size} streams already`);
  }

  /** To be called by the replica once a commit is in force. */
  committed(commit: ReplicaCommit): void {
    const { table, replica, metrics, logger, onStatus } = this.#options;
    const attributes = {
      "fairlead.revision": commit.revision,
      "fairlead.changed": commit.changed.size,
      "fairlead.removed": commit.removed.size,
    };
    const span = startSpan("ads.commit", attributes, commit.traceparent);
    let proxies = 0;
    for (const [connection, touched] of table.touchedBy(commit, replica)) {
      if (!connection.announce(touched, commit)) continue;
      proxies++;
      this.#announced.add(connection);
    }
    span.setAttribute("fairlead.proxies", proxies);
    span.end();
    metrics.committed();
    const { revision, changed, removed } = commit;
    logger.info({ revision, changed: changed.size, removed: removed.size, proxies }, "configuration applied");
    // In this order: whoever sees the revision also sees whom it is pending for.
    onStatus();
    if (proxies > 0) this.#debounce.changed();
  }

  #enqueueAnnounced(): void {
    detached(() => {
      for (const connection of this.#announced) this.#queue.enqueue(connection);
      this.#announced.clear();
    });
  }

  /** Ends all streams: their proxies keep what they have and connect elsewhere. */
  stop(): void {
    this.#stopping = true;
    this.#debounce.stop();
    const reason = new FairleadError("FL_GATEWAY_STOPPING", "this gateway is shutting down");
    for (const connection of this.#options.table.all()) connection.end(reason, "stopping");
  }
}
