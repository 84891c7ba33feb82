import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import type { ReplicaCommit, SnapshotReplica } from "@fairlead/snapshot";
import { detached, startSpan } from "@fairlead/telemetry";
import type { Authenticate, PeerIdentity } from "./authenticate.ts";
import { type AdsGatewayConfig, defaultPushConcurrency } from "./config.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionTable } from "./connection-table.ts";
import type { DiscoveryCall } from "./discovery-call.ts";
import type { CreateStream } from "./discovery-services.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import { ProxyConnection } from "./proxy-connection.ts";
import { PushPipeline } from "./push-pipeline.ts";
import { CommitHistory, type PushStatus } from "./push-status.ts";
import { RefusalLog } from "./refusal-log.ts";

export interface AdsServerOptions {
  readonly config: Pick<
    AdsGatewayConfig,
    | "ackTimeout"
    | "sendTimeout"
    | "firstRequestTimeout"
    | "debounceQuiet"
    | "debounceMax"
    | "endpointDebounceQuiet"
    | "endpointDebounceMax"
    | "pushConcurrency"
    | "maxStreams"
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

/** Streams on one side, commits on the other; the push pipeline between them. */
export class AdsServer {
  readonly #options: AdsServerOptions;
  readonly #context: ConnectionContext;
  readonly #pipeline: PushPipeline<ProxyConnection>;
  readonly #commits = new CommitHistory();
  #streams = 0;
  #stopping = false;

  constructor(options: AdsServerOptions) {
    this.#options = options;
    const { config, replica, table, metrics, logger, cut, onStatus } = options;
    this.#pipeline = new PushPipeline({
      lanes: {
        endpoints: { quietMs: config.endpointDebounceQuiet, maxMs: config.endpointDebounceMax },
        configuration: { quietMs: config.debounceQuiet, maxMs: config.debounceMax },
      },
      concurrency: config.pushConcurrency ?? defaultPushConcurrency(),
      onTriggered: (lane) => metrics.triggered(lane),
      onDebounced: (heldMs) => metrics.debounced(heldMs),
      onTurn: (queuedMs) => metrics.queued(queuedMs),
    });
    this.#context = {
      replica,
      metrics,
      logger,
      refusalLog: new RefusalLog(logger),
      sendTimeoutMs: config.sendTimeout,
      firstRequestTimeoutMs: config.firstRequestTimeout,
      onNamed: (connection) => {
        table.name(connection, connection.facts?.nodeId ?? "");
        onStatus();
      },
      onProgress: (connection) => {
        if (table.notePending(connection)) onStatus();
      },
      onClosed: (connection) => {
        table.delete(connection);
        this.#pipeline.forget(connection);
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
      const { table, logger, metrics } = this.#options;
      try {
        const identity = this.identify(call);
        this.#admit();
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

  /**
   * The door that every call of every service comes through.
   *
   * @throws FairleadError FL_GATEWAY_STOPPING, FL_GATEWAY_NOT_SYNCED, FL_XDS_UNAUTHENTICATED
   */
  identify(call: Pick<DiscoveryCall, "getPeer" | "metadata">): PeerIdentity {
    const { replica, authenticate } = this.#options;
    if (this.#stopping) throw new FairleadError("FL_GATEWAY_STOPPING", "this gateway is shutting down");
    if (!replica.synced) throw new FairleadError("FL_GATEWAY_NOT_SYNCED", "this gateway has no configuration yet");
    const identity = authenticate({ address: call.getPeer(), metadata: call.metadata });
    if (identity === undefined) throw new FairleadError("FL_XDS_UNAUTHENTICATED", "the peer did not prove who it is");
    return identity;
  }

  #admit(): void {
    const { table, config } = this.#options;
    if (table.size >= config.maxStreams)
      throw new FairleadError("FL_GATEWAY_FULL", `this gateway has ${table.size} streams already`);
  }

  /** To be called by the replica once a commit is in force. */
  committed(commit: ReplicaCommit): void {
    const { table, metrics, logger, onStatus } = this.#options;
    const attributes = {
      "fairlead.revision": commit.revision,
      "fairlead.changed": commit.changed.size,
      "fairlead.removed": commit.removed.size,
    };
    const span = startSpan("ads.commit", attributes, commit.traceparent);
    const proxies = this.#pipeline.committed(table.touchedBy(commit), commit);
    span.setAttribute("fairlead.proxies", proxies);
    span.end();
    metrics.committed();
    this.#commits.add(commit, proxies);
    const { revision, changed, removed } = commit;
    logger.info({ revision, changed: changed.size, removed: removed.size, proxies }, "configuration applied");
    // In this order: whoever sees the revision also sees whom it is pending for.
    onStatus();
  }

  /** What is being pushed. */
  get pushStatus(): PushStatus {
    return { queue: this.#pipeline.queued, lanes: this.#pipeline.lanes, commits: this.#commits.newestFirst };
  }

  /** Ends all streams: their proxies keep what they have and connect elsewhere. */
  stop(): void {
    this.#stopping = true;
    this.#pipeline.stop();
    const reason = new FairleadError("FL_GATEWAY_STOPPING", "this gateway is shutting down");
    for (const connection of this.#options.table.all()) connection.end(reason, "stopping");
  }
}
