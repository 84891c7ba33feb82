import { shortTypeName } from "@fairlead/envoy-api";
import { pushOrder } from "@fairlead/snapshot";
import type { OutgoingResponse, RequestOutcome } from "@fairlead/xds-stream";
import { metrics } from "@opentelemetry/api";
import type { PushLane } from "./push-lane.ts";

export type StreamEnd = "closed" | "refused" | "not_reading" | "stopping" | "age" | "shared";

const known: ReadonlySet<string> = new Set(pushOrder);
/** Proxies may ask for any type: one that we do not know is `other`, so that labels are bounded. Made once: metrics are on the hot path. */
const labels = new Map([...known].map((typeUrl) => [typeUrl, { type: shortTypeName(typeUrl) }]));
const otherLabel = { type: "other" };
const labelOf = (typeUrl: string) => labels.get(typeUrl) ?? otherLabel;
const secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30];
const byteBuckets = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** What gauges are read from. */
export interface GatewayReadings {
  readonly connectedProxies: () => number;
  readonly pendingProxies: () => number;
  readonly revision: () => number;
  readonly connections: () => { readonly all: number; readonly withoutStream: number };
  readonly pushQueue: () => { readonly waiting: number; readonly running: number };
}

/**
 * What a gateway counts. What Istio's Pilot counts, too, has its name and labels, so that its dashboards and alerts fit.
 * Pilot's counters have no `_total`, which the exporter adds to counters: here they are sums that only go up.
 */
export class GatewayMetrics {
  readonly #meter = metrics.getMeter("fairlead");
  readonly #seconds = { unit: "s", advice: { explicitBucketBoundaries: secondBuckets } };
  readonly #pushes = this.#meter.createUpDownCounter("pilot_xds_pushes", {
    description: "Counts up: responses sent to proxies, by type.",
  });
  readonly #triggers = this.#meter.createUpDownCounter("pilot_push_triggers", {
    description: "Counts up: commits that touched streams, by type: endpoint (nothing but endpoints), config.",
  });
  readonly #rejects = this.#meter.createUpDownCounter("pilot_total_xds_rejects", {
    description: "Counts up: responses that a proxy refused (NACK), by type.",
  });
  readonly #expiredNonces = this.#meter.createUpDownCounter("pilot_xds_expired_nonce", {
    description: "Counts up: requests that answer an older response than the last one, by type.",
  });
  readonly #writeTimeouts = this.#meter.createUpDownCounter("pilot_xds_write_timeout", {
    description: "Counts up: proxies that were cut because they did not read.",
  });
  readonly #convergenceTime = this.#meter.createHistogram("pilot_proxy_convergence_time", {
    description: "From the arrival of a change to a proxy's last ACK of it.",
    ...this.#seconds,
  });
  readonly #queueTime = this.#meter.createHistogram("pilot_proxy_queue_time", {
    description: "From the debounced change to a proxy's turn.",
    ...this.#seconds,
  });
  readonly #debounceTime = this.#meter.createHistogram("pilot_debounce_time", {
    description: "How long the first of merged changes was held back; 0 for one that went at once.",
    ...this.#seconds,
  });
  readonly #pushTime = this.#meter.createHistogram("pilot_xds_push_time", {
    description: "What it took to put a response together and to write it, by type.",
    ...this.#seconds,
  });
  readonly #configSize = this.#meter.createHistogram("pilot_xds_config_size_bytes", {
    description: "Size of responses, by type. gRPC clients take 4 MiB.",
    unit: "By",
    advice: { explicitBucketBoundaries: byteBuckets },
  });
  readonly #ackTime = this.#meter.createHistogram("fairlead_xds_ack_seconds", {
    description: "From a response to its ACK or NACK, by type.",
    ...this.#seconds,
  });
  readonly #requests = this.#meter.createCounter("fairlead_xds_requests_total", {
    description: "Requests of proxies, by type and by what they meant: subscribe, ack, nack, repeat, stale.",
  });
  readonly #ends = this.#meter.createCounter("fairlead_xds_streams_ended_total", {
    description:
      "Streams that ended, by reason: closed, refused, not_reading, shared (with one that does not read), stopping, age.",
  });
  readonly #commits = this.#meter.createCounter("fairlead_xds_commits_total", {
    description: "Commits of the compiler that were applied.",
  });

  constructor(read: GatewayReadings) {
    this.#meter
      .createObservableGauge("pilot_xds", { description: "Streams that have named their node." })
      .addCallback((result) => result.observe(read.connectedProxies()));
    this.#meter
      .createObservableGauge("fairlead_xds_pending_proxies", {
        description: "Proxies that have not ACKed all of their configuration.",
      })
      .addCallback((result) => result.observe(read.pendingProxies()));
    this.#meter
      .createObservableGauge("fairlead_xds_revision", { description: "The newest registry revision that was applied." })
      .addCallback((result) => result.observe(read.revision()));
    this.#meter
      .createObservableGauge("fairlead_xds_connections", {
        description: "TCP connections of proxies, by state: serving, idle (without a stream).",
      })
      .addCallback((result) => {
        const { all, withoutStream } = read.connections();
        result.observe(all - withoutStream, { state: "serving" });
        result.observe(withoutStream, { state: "idle" });
      });
    this.#meter
      .createObservableGauge("fairlead_xds_push_queue", {
        description: "Streams in the push queue, by state: waiting, running.",
      })
      .addCallback((result) => {
        const { waiting, running } = read.pushQueue();
        result.observe(waiting, { state: "waiting" });
        result.observe(running, { state: "running" });
      });
  }

  committed(): void {
    this.#commits.add(1);
  }

  /** @param answersNonce whether the request carries a nonce */
  requested(outcome: RequestOutcome, answersNonce: boolean): void {
    const label = labelOf(outcome.typeUrl);
    this.#requests.add(1, { ...label, kind: outcome.kind });
    if (outcome.kind === "nack") this.#rejects.add(1, label);
    if (outcome.kind === "stale" && answersNonce) this.#expiredNonces.add(1, label);
    if (outcome.elapsedMs !== undefined) this.#ackTime.record(outcome.elapsedMs / 1000, label);
  }

  /** @param milliseconds to put it together and to write it */
  pushed(response: OutgoingResponse, milliseconds: number): void {
    const label = labelOf(response.typeUrl);
    this.#pushes.add(1, label);
    this.#pushTime.record(milliseconds / 1000, label);
    this.#configSize.record(response.bytes.byteLength, label);
  }

  /** Changes went into a lane of the push pipeline. */
  triggered(lane: PushLane): void {
    this.#triggers.add(1, { type: lane === "endpoints" ? "endpoint" : "config" });
  }

  debounced(heldMs: number): void {
    this.#debounceTime.record(heldMs / 1000);
  }

  queued(milliseconds: number): void {
    this.#queueTime.record(milliseconds / 1000);
  }

  converged(milliseconds: number): void {
    this.#convergenceTime.record(milliseconds / 1000);
  }

  ended(reason: StreamEnd): void {
    this.#ends.add(1, { reason });
    if (reason === "not_reading") this.#writeTimeouts.add(1);
  }
}
