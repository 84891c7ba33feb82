import { IdTable } from "@fairlead/buffer";
import { AbuseGuard } from "./abuse-guard.ts";
import { ClosedStreams, ENDED, RESET_BY_PEER, RESET_BY_US } from "./closed-streams.ts";
import type { Http2ConnectionOptions } from "./connection-options.ts";
import { DEFAULT_WINDOW_BYTES, ERROR_CODE } from "./frame-types.ts";
import type { HeaderCollector } from "./header-collector.ts";
import { Http2Error } from "./http2-error.ts";
import { InboundWindow } from "./inbound-window.ts";
import { Outbound } from "./outbound.ts";
import { PeerSettings } from "./settings.ts";
import { Http2Stream, type StreamReset } from "./stream.ts";

/** The streams of one end of a connection: how they begin, and the ways in which they end (RFC 9113 §5.1, §5.4.2). */
export abstract class StreamLifecycle<InHead> {
  readonly streams = new IdTable<Http2Stream<InHead>>();
  readonly peerSettings = new PeerSettings();
  protected readonly options: Http2ConnectionOptions;
  protected readonly outbound: Outbound;
  protected readonly guard: AbuseGuard;
  protected readonly closedStreams = new ClosedStreams();
  protected readonly window: InboundWindow;
  /** Of new streams: until the peer knows ours, it may go by the default (RFC 9113 §6.9.3). */
  protected streamWindow: number;
  protected streamsOpened = 0;
  /** We have said GOAWAY for good: nothing is read any more. */
  ended = false;

  protected constructor(options: Http2ConnectionOptions) {
    this.options = options;
    this.streamWindow = Math.max(options.streamWindowBytes, DEFAULT_WINDOW_BYTES);
    this.guard = new AbuseGuard(options.abuse, options.stats, options.now);
    this.outbound = new Outbound(
      this.peerSettings,
      this.guard,
      { onLocalEnd: (stream) => this.#onLocalEnd(stream) },
      {
        onOutput: options.onOutput,
        maxQueuedBytes: options.maxQueuedBytes,
        headerTableBytes: options.headerTableBytes,
      },
    );
    this.window = new InboundWindow(options.connectionWindowBytes, options.maxHeldBytes, (increment) => {
      if (!this.ended) this.outbound.windowUpdate(0, increment);
    });
  }

  /** A peer's reset, or what it made us reset. */
  protected abstract onResetByPeer(openedMs: number, headSent: boolean): void;
  /** Our half has ended before the peer's. */
  protected abstract onLocalEndFirst(stream: Http2Stream<InHead>): void;

  protected newStream(): Http2Stream<InHead> {
    return new Http2Stream(this.streamWindow, this.peerSettings.initialWindowBytes);
  }

  protected addStream(stream: Http2Stream<InHead>): void {
    stream.openedMs = this.options.now();
    this.streamsOpened++;
    this.options.stats.streams_active++;
    this.streams.add(stream);
  }

  protected closeStream(stream: Http2Stream<InHead>, how: number): void {
    if (stream.closed) return;
    stream.closed = true;
    this.release(stream);
    stream.queue.clear();
    if (this.streams.delete(stream)) {
      this.options.stats.streams_active--;
      this.closedStreams.add(stream.id, how);
      this.guard.onStreamClosed();
    }
    const { sink } = stream;
    stream.sink = undefined;
    sink?.onClosed();
  }

  /** The peer broke a rule on one stream (RFC 9113 §5.4.2): it costs it as much as a reset of its own. */
  protected streamError(
    stream: Http2Stream<InHead>,
    errorCode: number,
    details: string,
    by: "malformed" | "limit" = "malformed",
  ): void {
    if (stream.closed) return;
    this.options.stats.rx_messaging_error++;
    this.options.stats.tx_reset++;
    this.outbound.rstStream(stream.id, errorCode);
    const { openedMs, headSent } = stream;
    stream.sink?.onReset({ errorCode, by, details });
    this.closeStream(stream, RESET_BY_US);
    this.onResetByPeer(openedMs, headSent);
  }

  /**
   * What a message is that breaks HTTP's rules, where the frames do not break HTTP/2's.
   *
   * @throws Http2Error where the connection is to end with it
   */
  protected malformed(stream: Http2Stream<InHead> | undefined, details: string): void {
    if (this.options.closesOnMalformed === true) {
      this.options.stats.rx_messaging_error++;
      throw new Http2Error(ERROR_CODE.protocolError, details);
    }
    if (stream !== undefined) this.streamError(stream, ERROR_CODE.protocolError, details);
  }

  /** For a stream that does not exist (any more). */
  protected refuseStream(streamId: number, errorCode: number): void {
    this.options.stats.tx_reset++;
    this.closedStreams.add(streamId, RESET_BY_US);
    this.outbound.rstStream(streamId, errorCode);
    // More streams than may be open, or an answer that needs no body, is no fault.
    const fault = errorCode !== ERROR_CODE.refusedStream && errorCode !== ERROR_CODE.noError;
    if (fault) this.onResetByPeer(this.options.now(), false);
  }

  /** The peer has given a stream up. */
  protected failStream(stream: Http2Stream<InHead>, reset: StreamReset): void {
    stream.sink?.onReset(reset);
    this.closeStream(stream, RESET_BY_PEER);
  }

  /** The head was all of the message. */
  protected endLocal(stream: Http2Stream<InHead>): void {
    stream.endQueued = true;
    this.#onLocalEnd(stream);
  }

  #onLocalEnd(stream: Http2Stream<InHead>): void {
    stream.endSent = true;
    stream.localEnded = true;
    if (stream.remoteEnded) this.closeStream(stream, ENDED);
    else this.onLocalEndFirst(stream);
  }

  protected remoteEnd(stream: Http2Stream<InHead>): void {
    stream.remoteEnded = true;
    if (stream.endSent) this.closeStream(stream, ENDED);
  }

  /** A second header block on a stream. */
  protected onTrailers(stream: Http2Stream<InHead>, endStream: boolean, headers: HeaderCollector): void {
    if (stream.remoteEnded) {
      this.streamError(stream, ERROR_CODE.streamClosed, "headers after the end");
      return;
    }
    const trailers = headers.error === undefined ? headers.takeTrailers() : undefined;
    if (trailers === undefined || headers.tooLarge || !endStream || stream.remainingBytes > 0) {
      this.malformed(stream, headers.error ?? "trailers that are none");
      return;
    }
    this.options.stats.trailers++;
    stream.remoteEnded = true;
    stream.sink?.onTrailers(trailers, headers.neverIndexed);
    this.remoteEnd(stream);
  }

  protected sendGoAway(lastStreamId: number, errorCode: number, text: string): void {
    this.options.stats.goaway_sent++;
    this.outbound.goAway(lastStreamId, errorCode, text);
  }

  /** What it held is not held any more. */
  protected release(stream: Http2Stream<InHead>): void {
    if (stream.held === 0) return;
    this.window.release(stream.held);
    stream.held = 0;
  }
}
