import { HpackDecoder, HpackError } from "@fairlead/codec-hpack";
import { ENDED, FORGOTTEN, RESET_BY_PEER, RESET_BY_US } from "./closed-streams.ts";
import type { Http2ConnectionOptions } from "./connection-options.ts";
import { FrameReader } from "./frame-reader.ts";
import { type FrameEvents, FrameRules } from "./frame-rules.ts";
import { DEFAULT_HEADER_TABLE_BYTES, ERROR_CODE, errorName, LARGEST_WINDOW_BYTES } from "./frame-types.ts";
import type { HeaderBlock } from "./header-block.ts";
import { HeaderCollector } from "./header-collector.ts";
import { Http2Error, protocolError } from "./http2-error.ts";
import { SETTING } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamLifecycle } from "./stream-lifecycle.ts";

/**
 * One end of an HTTP/2 connection: bytes in with `receive`, bytes out with `takeOutput`. The two ends differ in who begins streams.
 *
 * ```
 *   receive ─▶ FrameReader ─▶ rules of RFC 9113 ─▶ streams' sinks
 *   takeOutput ◀─ FrameWriter ◀─ Outbound (windows, rounds) ◀─ send…
 * ```
 */
export abstract class Http2Connection<InHead> extends StreamLifecycle<InHead> implements FrameEvents {
  /** Of the last read, what sinks were given. */
  dataBytes = 0;
  readonly #rules: FrameRules;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder();
  #decoderLimit = DEFAULT_HEADER_TABLE_BYTES;
  readonly #collector: HeaderCollector;
  /** Where the data of the DATA frame that is being read goes; undefined = nowhere. */
  #dataStream: Http2Stream<InHead> | undefined;
  #dataEnds = false;
  #dataLength = 0;

  protected constructor(options: Http2ConnectionOptions) {
    super(options);
    // Twice the limit may still be a list that is answered 431; more is not worth the memory.
    this.#rules = new FrameRules(this, this.guard, options.maxHeadBytes * 2);
    this.#reader = new FrameReader(this.#rules);
    this.#collector = new HeaderCollector(options);
  }

  // What the owner of the socket does

  /**
   * Reads what came.
   *
   * @throws Http2Error when the connection must end; GOAWAY is in the output then
   */
  receive(chunk: Buffer, start = 0): void {
    this.dataBytes = 0;
    if (this.ended) return;
    try {
      this.#reader.execute(chunk, start);
      this.checkFailure();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** @throws Http2Error when the peer does not read what it makes us send; GOAWAY is in the output then */
  checkFailure(): void {
    if (this.outbound.failure !== undefined && !this.ended) throw this.#fail(this.outbound.failure);
  }

  /** A frame or a header block has begun, and must not take for ever. */
  get midHead(): boolean {
    return this.#rules.midBlock || this.#reader.midFrame;
  }

  takeOutput(): Buffer[] {
    return this.outbound.writer.take();
  }

  /** After output was given to the socket. @param blocked it holds more than it should @param empty it holds nothing */
  onOutputTaken(blocked: boolean, empty: boolean): void {
    if (empty) this.guard.onAllTaken();
    this.outbound.setBlocked(blocked);
    if (!blocked) this.outbound.pump();
  }

  /** @param opaque 8 bytes, which the answer has too */
  sendPing(opaque: Buffer): void {
    if (!this.ended) this.outbound.ping(opaque, false);
  }

  /** Says GOAWAY; what comes is not read any more. */
  end(errorCode: number, text: string): void {
    if (this.ended) return;
    this.ended = true;
    this.sendGoAway(this.lastPeerStreamId, errorCode, text);
  }

  /** The socket is gone: all that is left is to forget. Sinks are told nothing. */
  close(): void {
    this.ended = true;
    for (const stream of this.streams.all()) {
      stream.sink = undefined;
      this.closeStream(stream, RESET_BY_US);
    }
  }

  // What streams do

  /** @returns true when nothing here holds the chunk: its bytes were copied, or are not sent */
  sendData(stream: Http2Stream<InHead>, chunk: Buffer, endStream: boolean): boolean {
    if (stream.localEnded || stream.closed || !stream.headSent) return true;
    stream.localEnded = endStream;
    return this.outbound.data(stream, chunk, endStream);
  }

  sendTrailers(stream: Http2Stream<InHead>, headers: readonly string[], neverIndexed?: readonly string[]): void {
    if (stream.localEnded || stream.closed || !stream.headSent) return;
    stream.localEnded = true;
    this.outbound.trailers(stream, headers, neverIndexed);
  }

  /** Gives a stream up. Its sink is told nothing more but `onClosed`. */
  resetStream(stream: Http2Stream<InHead>, errorCode: number): void {
    if (stream.closed) return;
    if (stream.id !== 0) {
      this.options.stats.tx_reset++;
      this.outbound.rstStream(stream.id, errorCode);
    }
    this.closeStream(stream, RESET_BY_US);
  }

  setReading(stream: Http2Stream<InHead>, reading: boolean): void {
    if (stream.reading === reading) return;
    stream.reading = reading;
    if (!reading) return;
    this.release(stream);
    this.#returnWindow(stream);
  }

  // For the two ends

  protected abstract readonly lastPeerStreamId: number;
  /** A whole header block on a stream of any state; `headers` has it. */
  protected abstract onHeaders(streamId: number, endStream: boolean, headers: HeaderCollector): void;
  abstract onGoAway(lastStreamId: number, errorCode: number, text: string): void;
  protected abstract isIdle(streamId: number): boolean;
  protected abstract onPingAck(opaque: Buffer): void;
  protected abstract onPeerSettings(): void;

  /** The first frames of an end. @param values its SETTINGS */
  protected start(values: readonly number[]): void {
    const { headerTableBytes } = this.options;
    this.outbound.settings(
      headerTableBytes === DEFAULT_HEADER_TABLE_BYTES ? values : [...values, SETTING.headerTableSize, headerTableBytes],
    );
    this.window.open();
  }

  #fail(error: unknown): unknown {
    if (error instanceof HpackError) return this.#fail(new Http2Error(ERROR_CODE.compressionError, error.message));
    if (error instanceof Http2Error) this.end(error.errorCode, error.message);
    else this.end(ERROR_CODE.internalError, "");
    return error;
  }

  // Frames

  onDataFrame(streamId: number, endStream: boolean, length: number): void {
    this.#dataEnds = endStream;
    this.#dataLength = length;
    this.#dataStream = undefined;
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#onDataWithoutStream(streamId, length);
      return;
    }
    this.window.take(length);
    stream.receiveWindow -= length;
    if (stream.remoteEnded) this.streamError(stream, ERROR_CODE.streamClosed, "data after the end");
    else if (!stream.headReceived) this.streamError(stream, ERROR_CODE.protocolError, "data before the head");
    else if (stream.receiveWindow < 0 && length > 0) {
      this.streamError(stream, ERROR_CODE.flowControlError, "more data than the stream's window");
    } else this.#dataStream = stream;
  }

  /** RFC 9113 §5.1: what we reset may still have data on its way; the others must have known. */
  #onDataWithoutStream(streamId: number, length: number): void {
    if (this.isIdle(streamId)) throw protocolError("DATA on an idle stream");
    const how = this.closedStreams.howOf(streamId);
    if (how === ENDED || how === RESET_BY_PEER) {
      throw new Http2Error(ERROR_CODE.streamClosed, "DATA on a closed stream");
    }
    this.window.take(length);
    if (how === FORGOTTEN) this.refuseStream(streamId, ERROR_CODE.streamClosed);
  }

  onData(slice: Buffer, frameDone: boolean): void {
    const stream = this.#dataStream;
    if (stream === undefined || stream.closed) return;
    const end = frameDone && this.#dataEnds;
    if (stream.remainingBytes >= 0) {
      stream.remainingBytes -= slice.length;
      if (stream.remainingBytes < 0 || (end && stream.remainingBytes > 0)) {
        this.malformed(stream, "the body does not have the length that its head says");
        return;
      }
    }
    if (end) stream.remoteEnded = true;
    if (stream.sink !== undefined) {
      this.dataBytes += slice.length;
      if (slice.length > 0 || end) stream.sink.onData(slice, end);
    }
    if (stream.closed) return;
    if (end) this.remoteEnd(stream);
    else if (frameDone) this.#onDataTaken(stream, this.#dataLength);
  }

  #onDataTaken(stream: Http2Stream<InHead>, bytes: number): void {
    stream.unreturned += bytes;
    if (stream.reading) this.#returnWindow(stream);
    else {
      stream.held += bytes;
      this.window.hold(bytes);
    }
  }

  #returnWindow(stream: Http2Stream<InHead>): void {
    if (stream.remoteEnded || stream.closed || stream.unreturned * 2 < this.options.streamWindowBytes) return;
    this.outbound.windowUpdate(stream.id, stream.unreturned);
    stream.receiveWindow += stream.unreturned;
    stream.unreturned = 0;
  }

  onHeaderBlock(block: HeaderBlock, bytes: Buffer, start: number, end: number): void {
    const collector = this.#collector;
    collector.begin();
    this.#decoder.decode(bytes, start, end, collector);
    if (block.dependsOnItself) collector.error = "a stream that depends on itself";
    if (collector.tooLarge) this.options.stats.header_overflow++;
    this.onHeaders(block.streamId, block.endStream, collector);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    this.guard.onWindowUpdate(this.streamsOpened, this.outbound.dataFrames);
    if (streamId === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE of 0");
      this.outbound.onWindow(increment);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw protocolError("WINDOW_UPDATE on an idle stream");
      return;
    }
    if (increment === 0) this.streamError(stream, ERROR_CODE.protocolError, "WINDOW_UPDATE of 0");
    else if (stream.sendWindow + increment > LARGEST_WINDOW_BYTES) {
      this.streamError(stream, ERROR_CODE.flowControlError, "a window above 2147483647");
    } else {
      stream.sendWindow += increment;
      this.outbound.onStreamWindow(stream);
    }
  }

  onReset(streamId: number, errorCode: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw protocolError("RST_STREAM on an idle stream");
      return;
    }
    this.options.stats.rx_reset++;
    const { openedMs, headSent } = stream;
    const by = errorCode === ERROR_CODE.refusedStream ? "unprocessed" : "peer";
    this.failStream(stream, { errorCode, by, details: errorName(errorCode) });
    this.onResetByPeer(openedMs, headSent);
  }

  onPriority(streamId: number, malformed: number): void {
    this.guard.onPriority(this.streamsOpened);
    if (malformed === 0) return;
    const stream = this.streams.get(streamId);
    if (stream === undefined) throw new Http2Error(malformed, "a PRIORITY frame that is malformed");
    this.streamError(stream, malformed, "a PRIORITY frame that is malformed");
  }

  onPing(opaque: Buffer, ack: boolean): void {
    if (ack) {
      this.onPingAck(opaque);
      this.options.onPingAck?.(opaque);
    } else this.outbound.ping(opaque, true);
  }

  onSettings(bytes: Buffer, start: number, end: number): void {
    const before = this.peerSettings.initialWindowBytes;
    this.peerSettings.apply(bytes, start, end);
    this.outbound.onPeerTableSize(this.peerSettings.headerTableBytes);
    this.outbound.settingsAck();
    const change = this.peerSettings.initialWindowBytes - before;
    if (change !== 0) this.#onInitialWindow(change);
    this.onPeerSettings();
  }

  onSettingsAck(): void {
    // Only now does the peer know, and may use more, or must use less.
    const { headerTableBytes } = this.options;
    if (headerTableBytes !== this.#decoderLimit) {
      this.#decoderLimit = headerTableBytes;
      this.#decoder.setMaxTableBytes(headerTableBytes);
    }
    const change = this.options.streamWindowBytes - this.streamWindow;
    if (change === 0) return;
    this.streamWindow = this.options.streamWindowBytes;
    for (const stream of this.streams.all()) stream.receiveWindow += change;
  }

  /** RFC 9113 §6.9.2: the windows of all streams move with it, also below 0. */
  #onInitialWindow(change: number): void {
    for (const stream of this.streams.all()) {
      stream.sendWindow += change;
      if (stream.sendWindow > LARGEST_WINDOW_BYTES) {
        throw new Http2Error(ERROR_CODE.flowControlError, "a stream's window is above 2147483647");
      }
      if (change > 0) this.outbound.onStreamWindow(stream);
    }
  }
}
