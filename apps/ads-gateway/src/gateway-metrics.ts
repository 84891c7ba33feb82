import { shortTypeName } from "@fairlead/envoy-api";
import { pushOrder } from "@fairlead/snapshot";
import type { OutgoingResponse, RequestOutcome } from "@fairlead/xds-stream";
import { metrics } from "@opentelemetry/api";
import type { PushLane } from "./push-lane.ts";

export type StreamEnd = "closed" | "refused" | "not_reading" | "stopping" | "age";

const known: ReadonlySet<string> = new Set(pushOrder);
/** Proxies may ask for any type: one that we do not know is `other`, so that labels are bounded. */
const labelOf = (typeUrl: string) => ({ type: known.has(typeUrl) ? shortTypeName(typeUrl) : "other" });
const secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30];
const byteBuckets = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** What a gateway counts. Labels: the xDS types, kinds of requests, reasons of ends. */
export class GatewayMetrics {
  readonly #pushes;
  readonly #requests;
  readonly #nacks;
  readonly #ends;
  readonly #commits;
  readonly #pushSeconds;
  readonly #convergenceSeconds;
  readonly #queueSeconds;
  readonly #debounceSeconds;
  readonly #triggers;
  readonly #responseBytes;

  constructor(read: {
    readonly connectedProxies: () => number;
    readonly pendingProxies: () => number;
    readonly revision: () => number;
  }) {
    const meter = metrics.getMeter("fairlead");
    const seconds = { unit: "s", advice: { explicitBucketBoundaries: secondBuckets } };
    this.#pushes = meter.createCounter("fairlead_xds_pushes_total", {
      description: "Responses sent to proxies, by type.",
    });
    this.#requests = meter.createCounter("fairlead_xds_requests_total", {
      description: "Requests of proxies, by type and by what they meant: subscribe, ack, nack, repeat, stale.",
    });
    this.#nacks = meter.createCounter("fairlead_xds_nacks_total", {
      description: "Responses that a proxy refused, by type.",
    });
    this.#ends = meter.createCounter("fairlead_xds_streams_ended_total", {
      description: "Streams that ended, by reason.",
    });
    this.#commits = meter.createCounter("fairlead_xds_commits_total", {
      description: "Commits of the compiler that were applied.",
    });
    this.#pushSeconds = meter.createHistogram("fairlead_xds_push_seconds", {
      description: "From a response to its ACK or NACK, by type.",
      ...seconds,
    });
    this.#convergenceSeconds = meter.createHistogram("fairlead_xds_convergence_seconds", {
      description: "From the arrival of a change to a proxy's last ACK of it.",
      ...seconds,
    });
    this.#queueSeconds = meter.createHistogram("fairlead_xds_queue_seconds", {
      description: "From the debounced change to the push to a proxy.",
      ...seconds,
    });
    this.#debounceSeconds = meter.createHistogram("pilot_debounce_time", {
      description: "How long the first of merged changes was held back; 0 for one that went at once.",
      ...seconds,
    });
    this.#triggers = meter.createUpDownCounter("pilot_push_triggers", {
      description: "Counts up: commits that touched streams, by type: endpoint (nothing but endpoints), config.",
    });
    this.#responseBytes = meter.createHistogram("fairlead_xds_response_bytes", {
      description: "Size of responses, by type. gRPC clients take 4 MiB.",
      unit: "By",
      advice: { explicitBucketBoundaries: byteBuckets },
    });
    meter
      .createObservableGauge("fairlead_xds_connected_proxies", { description: "Streams that have named their node." })
      .addCallback((result) => result.observe(read.connectedProxies()));
    meter
      .createObservableGauge("fairlead_xds_pending_proxies", {
        description: "Proxies that have not ACKed all of their configuration.",
      })
      .addCallback((result) => result.observe(read.pendingProxies()));
    meter
      .createObservableGauge("fairlead_xds_revision", { description: "The newest registry revision that was applied." })
      .addCallback((result) => result.observe(read.revision()));
  }

  committed(): void {
    this.#commits.add(1);
  }

  requested(typeUrl: string, outcome: RequestOutcome): void {
    const label = labelOf(typeUrl);
    this.#requests.add(1, { ...label, kind: outcome.kind });
    if (outcome.kind === "nack") this.#nacks.add(1, label);
    if (outcome.elapsedMs !== undefined) this.#pushSeconds.record(outcome.elapsedMs / 1000, label);
  }

  pushed(response: OutgoingResponse): void {
    const label = labelOf(response.typeUrl);
    this.#pushes.add(1, label);
    this.#responseBytes.record(response.bytes.byteLength, label);
  }

  queued(milliseconds: number): void {
    this.#queueSeconds.record(milliseconds / 1000);
  }

  /** Changes went into a lane of the push pipeline. */
  triggered(lane: PushLane): void {
    this.#triggers.add(1, { type: lane === "endpoints" ? "endpoint" : "config" });
  }

  debounced(heldMs: number): void {
    this.#debounceSeconds.record(heldMs / 1000);
  }

  converged(milliseconds: number): void {
    this.#convergenceSeconds.record(milliseconds / 1000);
  }

  ended(reason: StreamEnd): void {
    this.#ends.add(1, { reason });
  }
}
