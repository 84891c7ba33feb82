import type { HostMonitor } from "./host.ts";
import type { OutlierDetection, Threshold } from "./outlier-config.ts";

export type OutlierReason = "consecutive_5xx" | "consecutive_gateway_failure" | "consecutive_local_origin_failure";

/** gRPC's statuses as the HTTP statuses that they mean (googleapis, google/rpc/code.proto). */
const httpOfGrpc: Readonly<Record<string, number>> = {
  "1": 499, "2": 500, "3": 400, "4": 504, "5": 404, "6": 409, "7": 403, "8": 429, "9": 400, "10": 409, "11": 400, "12": 501,
  "13": 500, "14": 503, "15": 500, "16": 401,
}; // prettier-ignore

/** How one host has done lately. */
export class OutlierMonitor implements HostMonitor {
  readonly #config: OutlierDetection;
  readonly #detected: (reason: OutlierReason, threshold: Threshold) => void;
  #consecutive5xx = 0;
  #consecutiveGateway = 0;
  #consecutiveLocal = 0;
  /** Of this interval. */
  requests = 0;
  successes = 0;

  constructor(config: OutlierDetection, detected: (reason: OutlierReason, threshold: Threshold) => void) {
    this.#config = config;
    this.#detected = detected;
  }

  onResponse(status: number, grpcStatus: string | undefined): void {
    this.#consecutiveLocal = 0;
    const code = grpcStatus === undefined || status !== 200 ? status : (httpOfGrpc[grpcStatus] ?? status);
    this.#count(code);
  }

  onReset(reason: string): void {
    // Requests that the circuit breaker stopped, or that we gave up ourselves, say nothing about the host.
    if (reason === "overflow" || reason === "local reset") return;
    this.#local(reason === "connection timeout" ? 504 : 503);
  }

  onTimeout(): void {
    this.#local(504);
  }

  /** It has served its time, or a new interval begins. */
  reset(): void {
    this.#consecutive5xx = 0;
    this.#consecutiveGateway = 0;
    this.#consecutiveLocal = 0;
    this.beginInterval();
  }

  beginInterval(): void {
    this.requests = 0;
    this.successes = 0;
  }

  #local(code: number): void {
    if (!this.#config.splitLocalOrigin) {
      this.#count(code);
      return;
    }
    const { consecutiveLocalOriginFailure: threshold } = this.#config;
    if (++this.#consecutiveLocal === threshold.count) {
      this.#consecutiveLocal = 0;
      this.#detected("consecutive_local_origin_failure", threshold);
    }
  }

  #count(code: number): void {
    const { consecutive5xx, consecutiveGatewayFailure } = this.#config;
    this.requests++;
    if (code < 500) {
      this.successes++;
      this.#consecutive5xx = 0;
      this.#consecutiveGateway = 0;
      return;
    }
    if (code < 502 || code > 504) this.#consecutiveGateway = 0;
    else if (++this.#consecutiveGateway === consecutiveGatewayFailure.count) {
      this.#consecutiveGateway = 0;
      this.#detected("consecutive_gateway_failure", consecutiveGatewayFailure);
    }
    if (++this.#consecutive5xx === consecutive5xx.count) {
      this.#consecutive5xx = 0;
      this.#detected("consecutive_5xx", consecutive5xx);
    }
  }
}
