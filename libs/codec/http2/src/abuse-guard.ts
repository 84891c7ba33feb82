import { ERROR_CODE } from "./frame-types.ts";
import { Http2Error } from "./http2-error.ts";
import type { Http2Stats } from "./http2-stats.ts";

/** What a peer may do; Envoy's defaults, but where it is said. */
export interface AbuseLimits {
  /** Frames of any kind, and of PING, SETTINGS and RST_STREAM, that wait because the peer does not read. @default 10000 */
  readonly maxOutboundFrames: number;
  /** @default 1000 */
  readonly maxOutboundControlFrames: number;
  /** DATA, HEADERS or CONTINUATION without payload and without an end, in a row. @default 1 */
  readonly maxConsecutiveEmptyFrames: number;
  /** For each stream, and one connection. @default 100 */
  readonly maxPriorityFramesPerStream: number;
  /** For each DATA frame that we sent. @default 10 */
  readonly maxWindowUpdatesPerDataFrame: number;
  /** CONTINUATION frames of one header block. @default 512 */
  readonly maxContinuations: number;
  /** Streams that the peer resets: a bucket of so many … @default 1000 (nghttp2) */
  readonly resetBurst: number;
  /** … that fills by so many a second. @default 33 */
  readonly resetsPerSecond: number;
  /** From so many streams on, half of them reset without a response end the connection. @default 500 */
  readonly prematureResetStreams: number;
}

export const defaultAbuseLimits: AbuseLimits = {
  maxOutboundFrames: 10_000,
  maxOutboundControlFrames: 1000,
  maxConsecutiveEmptyFrames: 1,
  maxPriorityFramesPerStream: 100,
  maxWindowUpdatesPerDataFrame: 10,
  maxContinuations: 512,
  resetBurst: 1000,
  resetsPerSecond: 33,
  prematureResetStreams: 500,
};

/** A stream that ends sooner than this without a response was never meant to have one. */
const PREMATURE_MS = 1000;

/** Counts what one peer does, and ends the connection with ENHANCE_YOUR_CALM when that is an attack. */
export class AbuseGuard {
  readonly limits: AbuseLimits;
  readonly #stats: Http2Stats;
  readonly #now: () => number;
  #emptyFrames = 0;
  #priorityFrames = 0;
  #windowUpdates = 0;
  #resetTokens: number;
  #refilledMs: number;
  #closed = 0;
  #premature = 0;
  #outboundFrames = 0;
  #outboundControlFrames = 0;

  /** @param now monotonic, in milliseconds; may be coarse */
  constructor(limits: AbuseLimits, stats: Http2Stats, now: () => number) {
    this.limits = limits;
    this.#stats = stats;
    this.#now = now;
    this.#resetTokens = limits.resetBurst;
    this.#refilledMs = now();
  }

  onPayloadFrame(empty: boolean): void {
    if (!empty) {
      this.#emptyFrames = 0;
      return;
    }
    if (++this.#emptyFrames <= this.limits.maxConsecutiveEmptyFrames) return;
    this.#stats.inbound_empty_frames_flood++;
    throw calm("empty frames in a row");
  }

  /** @param frames of one header block so far */
  onContinuation(frames: number, bytes: number, maxBytes: number): void {
    if (frames > this.limits.maxContinuations + 1) {
      this.#stats.too_many_header_frames++;
      throw calm("CONTINUATION frames");
    }
    if (bytes <= maxBytes) return;
    this.#stats.header_overflow++;
    throw calm("bytes in a header block");
  }

  onPriority(streamsOpened: number): void {
    if (++this.#priorityFrames <= this.limits.maxPriorityFramesPerStream * (1 + streamsOpened)) return;
    this.#stats.inbound_priority_frames_flood++;
    throw calm("PRIORITY frames");
  }

  onWindowUpdate(streamsOpened: number, dataFramesSent: number): void {
    const allowed = 5 + 2 * (streamsOpened + this.limits.maxWindowUpdatesPerDataFrame * dataFramesSent);
    if (++this.#windowUpdates <= allowed) return;
    this.#stats.inbound_window_update_frames_flood++;
    throw calm("WINDOW_UPDATE frames");
  }

  /** The peer reset a stream, or did what we had to reset it for. @param openedMs when the stream began */
  onPeerReset(openedMs: number, responseStarted: boolean): void {
    const now = this.#now();
    const { resetBurst, resetsPerSecond } = this.limits;
    this.#resetTokens = Math.min(resetBurst, this.#resetTokens + ((now - this.#refilledMs) * resetsPerSecond) / 1000);
    this.#refilledMs = now;
    if (!responseStarted && now - openedMs < PREMATURE_MS) this.#premature++;
    // What is sure to be half of them at the bound need not be waited for.
    const half = Math.max(this.#closed, this.limits.prematureResetStreams) / 2;
    if (--this.#resetTokens >= 0 && this.#premature < half) return;
    this.#stats.rapid_reset_flood++;
    throw new Http2Error(ERROR_CODE.enhanceYourCalm, "too many streams that were reset", true);
  }

  onStreamClosed(): void {
    this.#closed++;
  }

  /**
   * A frame waits to be sent.
   *
   * @param control PING, SETTINGS, RST_STREAM: what a peer can make us send
   * @returns why the connection must end: nothing is thrown at those who send
   */
  onFrameSent(control: boolean): Http2Error | undefined {
    this.#outboundFrames++;
    if (control && ++this.#outboundControlFrames > this.limits.maxOutboundControlFrames) {
      this.#stats.outbound_control_flood++;
      return calm("PING, SETTINGS or RST_STREAM frames to answer, which the peer does not read");
    }
    if (this.#outboundFrames > this.limits.maxOutboundFrames) {
      this.#stats.outbound_flood++;
      return calm("frames to send, which the peer does not read");
    }
    return undefined;
  }

  /** The peer has taken all that was sent. */
  onAllTaken(): void {
    this.#outboundFrames = 0;
    this.#outboundControlFrames = 0;
  }
}

function calm(what: string): Http2Error {
  return new Http2Error(ERROR_CODE.enhanceYourCalm, `too many ${what}`);
}
