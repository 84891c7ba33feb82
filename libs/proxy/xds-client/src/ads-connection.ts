import type {
  DiscoveryRequest,
  DiscoveryResponse,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { BackOff } from "@fairlead/reconnect";
import type { AdsStream, OpenAdsStream } from "./ads-stream.ts";
import type { AdsMetrics } from "./metrics.ts";

/** Where the client writes what it has to say; pino's Logger fits. */
export interface AdsLogger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** The connection's state, for operators. */
export interface AdsConnectionState {
  /** A gateway has answered on the current stream. */
  readonly connected: boolean;
  /** The gateway of the current or next stream. */
  readonly address: string;
  /** When a stream was last answered first, in milliseconds since 1970; undefined = never. */
  readonly lastConnectedAtMs: number | undefined;
  /** Why the last stream ended; undefined while connected. */
  readonly lastError: string | undefined;
}

export interface AdsConnectionParts {
  readonly addresses: readonly string[];
  readonly openStream: OpenAdsStream;
  readonly backOff: BackOff;
  readonly healthyAfterMs: number;
  readonly now: () => number;
  readonly logger: AdsLogger;
  readonly metrics: AdsMetrics;
  /** A new stream is open: nothing has been said on it. */
  readonly opened: () => void;
  /** Never rejects; the next response of the stream is read when it has resolved. */
  readonly received: (stream: AdsStream, response: DiscoveryResponse) => Promise<void>;
  readonly lost: () => void;
}

/** Keeps one stream to one of several gateways, for as long as it is not closed. */
export class AdsConnection {
  readonly #parts: AdsConnectionParts;
  #stream: AdsStream | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #addressIndex = 0;
  #connected = false;
  #answeredAtMs: number | undefined;
  #lastConnectedAtMs: number | undefined;
  #lastError: string | undefined;

  constructor(parts: AdsConnectionParts) {
    this.#parts = parts;
  }

  /** The stream that is open; undefined between two. */
  get stream(): AdsStream | undefined {
    return this.#stream;
  }

  open(): void {
    this.#answeredAtMs = undefined;
    const stream: AdsStream = this.#parts.openStream(this.#address(), {
      received: (response) => this.#parts.received(stream, response),
      ended: (reason) => {
        if (stream === this.#stream) this.#lost(reason);
      },
    });
    this.#stream = stream;
    this.#parts.opened();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#stream?.close();
    this.#stream = undefined;
    this.#connected = false;
    this.#parts.metrics.disconnected();
  }

  send(request: DiscoveryRequest, rejected?: readonly string[]): void {
    this.#stream?.send(request, rejected);
  }

  /** To be called with each response of the current stream. */
  noteAnswer(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#answeredAtMs = this.#parts.now();
    this.#lastConnectedAtMs = this.#answeredAtMs;
    this.#lastError = undefined;
    this.#parts.metrics.connected();
    this.#parts.logger.info({ address: this.#address() }, "ADS stream established");
  }

  state(): AdsConnectionState {
    return {
      connected: this.#connected,
      address: this.#address(),
      lastConnectedAtMs: this.#lastConnectedAtMs,
      lastError: this.#lastError,
    };
  }

  #address(): string {
    return this.#parts.addresses[this.#addressIndex % this.#parts.addresses.length]!;
  }

  #lost(reason: string): void {
    const { addresses, backOff, healthyAfterMs, logger, metrics, now } = this.#parts;
    const address = this.#address();
    this.#stream = undefined;
    this.#connected = false;
    this.#lastError = reason;
    // A gateway that answers and crashes at once, again and again, is not hammered; one that is restarted twice within
    // seconds is not waited for as if it had been away all the time.
    if (this.#answeredAtMs !== undefined) {
      if (now() - this.#answeredAtMs >= healthyAfterMs) backOff.reset();
      else backOff.ease();
    }
    this.#addressIndex += 1;
    // The other gateways are tried soon; a whole round that failed is followed by a longer wait.
    const retryInMs = this.#addressIndex % addresses.length === 0 ? backOff.nextMs() : backOff.shortMs();
    logger.warn(
      { address, reason, retry_in_ms: Math.round(retryInMs), next: this.#address() },
      "ADS stream lost; the configuration stays as it is",
    );
    metrics.lostStream();
    this.#retryTimer = setTimeout(() => this.open(), retryInMs);
    this.#parts.lost();
  }
}
