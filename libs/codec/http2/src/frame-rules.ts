import type { AbuseGuard } from "./abuse-guard.ts";
import type { FrameSink } from "./frame-reader.ts";
import { ERROR_CODE, FLAG, FRAME } from "./frame-types.ts";
import { HeaderBlock, readHeadersPayload } from "./header-block.ts";
import { frameSizeError, Http2Error, protocolError } from "./http2-error.ts";

/** What frames say, once their own rules hold. All may throw Http2Error. */
export interface FrameEvents {
  readonly ended: boolean;
  /** A DATA frame begins; its data follows. @param length with padding, as windows count it */
  onDataFrame(streamId: number, endStream: boolean, length: number): void;
  onData(slice: Buffer, frameDone: boolean): void;
  /** A whole header block: `bytes[start, end)`, valid during the call. */
  onHeaderBlock(block: HeaderBlock, bytes: Buffer, start: number, end: number): void;
  /** @param malformed the error code of a frame that breaks a rule of its stream, else 0 */
  onPriority(streamId: number, malformed: number): void;
  onReset(streamId: number, errorCode: number): void;
  onSettings(bytes: Buffer, start: number, end: number): void;
  onSettingsAck(): void;
  /** @param opaque 8 bytes, valid during the call */
  onPing(opaque: Buffer, ack: boolean): void;
  onGoAway(lastStreamId: number, errorCode: number, text: string): void;
  /** @param streamId 0 = the connection. @param increment may be 0, which is an error where it belongs to */
  onWindowUpdate(streamId: number, increment: number): void;
}

/** The rules that a frame keeps or breaks by itself, whatever the state of its stream (RFC 9113 §6), and the order of frames. */
export class FrameRules implements FrameSink {
  readonly #events: FrameEvents;
  readonly #guard: AbuseGuard;
  readonly #maxBlockBytes: number;
  #block: HeaderBlock | undefined;
  #settingsReceived = false;

  constructor(events: FrameEvents, guard: AbuseGuard, maxBlockBytes: number) {
    this.#events = events;
    this.#guard = guard;
    this.#maxBlockBytes = maxBlockBytes;
  }

  get ended(): boolean {
    return this.#events.ended;
  }

  get midBlock(): boolean {
    return this.#block !== undefined;
  }

  onFrameHeader(type: number, flags: number, streamId: number, length: number): void {
    if (!this.#settingsReceived && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) {
      throw protocolError("the first frame is not SETTINGS");
    }
    const block = this.#block;
    if (block !== undefined && (type !== FRAME.continuation || streamId !== block.streamId)) {
      throw protocolError("another frame within a header block");
    }
    const ends = type === FRAME.continuation ? FLAG.endHeaders : FLAG.endStream;
    switch (type) {
      case FRAME.data:
        if (streamId === 0) throw protocolError("DATA on stream 0");
        this.#guard.onPayloadFrame(length === 0 && (flags & ends) === 0);
        this.#events.onDataFrame(streamId, (flags & FLAG.endStream) !== 0, length);
        return;
      case FRAME.headers:
      case FRAME.continuation:
        this.#guard.onPayloadFrame(length === 0 && (flags & ends) === 0);
        return;
      default:
    }
  }

  onData(slice: Buffer, frameDone: boolean): void {
    this.#events.onData(slice, frameDone);
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME.headers:
        this.#readHeaders(flags, streamId, bytes, start, end);
        return;
      case FRAME.continuation:
        this.#readContinuation(flags, bytes, start, end);
        return;
      case FRAME.windowUpdate:
        requireBytes("WINDOW_UPDATE", start, end, 4);
        this.#events.onWindowUpdate(streamId, bytes.readUInt32BE(start) & 0x7fffffff);
        return;
      case FRAME.rstStream:
        if (streamId === 0) throw protocolError("RST_STREAM on stream 0");
        requireBytes("RST_STREAM", start, end, 4);
        this.#events.onReset(streamId, bytes.readUInt32BE(start));
        return;
      case FRAME.settings:
        this.#readSettings(flags, streamId, bytes, start, end);
        return;
      case FRAME.ping:
        if (streamId !== 0) throw protocolError("PING on a stream");
        requireBytes("PING", start, end, 8);
        this.#events.onPing(bytes.subarray(start, end), (flags & FLAG.ack) !== 0);
        return;
      case FRAME.priority:
        this.#readPriority(streamId, bytes, start, end);
        return;
      case FRAME.goAway:
        this.#readGoAway(streamId, bytes, start, end);
        return;
      case FRAME.pushPromise:
        throw protocolError("PUSH_PROMISE, which nobody may send here");
      default:
      // RFC 9113 §4.1: frames of unknown types are ignored.
    }
  }

  #readHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocolError("HEADERS on stream 0");
    const payload = readHeadersPayload(flags, streamId, bytes, start, end);
    const block = new HeaderBlock(streamId, (flags & FLAG.endStream) !== 0, payload.dependsOnItself);
    if ((flags & FLAG.endHeaders) !== 0) {
      this.#events.onHeaderBlock(block, bytes, payload.start, payload.end);
      return;
    }
    block.add(bytes, payload.start, payload.end);
    this.#block = block;
  }

  #readContinuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === undefined) throw protocolError("CONTINUATION without HEADERS");
    block.add(bytes, start, end);
    this.#guard.onContinuation(block.frames, block.bytes, this.#maxBlockBytes);
    if ((flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    const whole = block.join();
    this.#events.onHeaderBlock(block, whole, 0, whole.length);
  }

  /** RFC 9113 has no priorities any more; what RFC 7540 §5.3.1, §6.3 calls an error is still one. */
  #readPriority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocolError("PRIORITY on stream 0");
    let malformed = 0;
    if (end - start !== 5) malformed = ERROR_CODE.frameSizeError;
    else if ((bytes.readUInt32BE(start) & 0x7fffffff) === streamId) malformed = ERROR_CODE.protocolError;
    this.#events.onPriority(streamId, malformed);
  }

  #readSettings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocolError("SETTINGS on a stream");
    if ((flags & FLAG.ack) !== 0) {
      if (end > start) throw frameSizeError("SETTINGS ACK with a payload");
      this.#events.onSettingsAck();
      return;
    }
    if ((end - start) % 6 !== 0) throw frameSizeError(`SETTINGS of ${end - start} bytes`);
    this.#settingsReceived = true;
    this.#events.onSettings(bytes, start, end);
  }

  #readGoAway(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocolError("GOAWAY on a stream");
    if (end - start < 8) throw frameSizeError(`GOAWAY of ${end - start} bytes`);
    const text = bytes.toString("latin1", start + 8, Math.min(end, start + 208));
    this.#events.onGoAway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4), text);
  }
}

function requireBytes(name: string, start: number, end: number, bytes: number): void {
  if (end - start !== bytes) throw new Http2Error(ERROR_CODE.frameSizeError, `${name} of ${end - start} bytes`);
}
