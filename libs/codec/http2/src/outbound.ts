import { HpackEncoder } from "@fairlead/codec-hpack";
import type { AbuseGuard } from "./abuse-guard.ts";
import { writeGoAway, writeNumber, writePing, writeSettings } from "./control-frames.ts";
import { ERROR_CODE, FLAG, FRAME, FRAME_HEADER_BYTES, LARGEST_WINDOW_BYTES } from "./frame-types.ts";
import { COPY_BYTES, FrameWriter, writeFrameHeader } from "./frame-writer.ts";
import { Http2Error } from "./http2-error.ts";
import type { PeerSettings } from "./settings.ts";
import type { Http2Stream } from "./stream.ts";

/** With so much in one go, the rest waits for the next: control frames must not stand behind megabytes. */
const MAX_BATCH_BYTES = 256 * 1024;

/** Any stream: what is sent does not depend on what is received. */
type AnyStream = Http2Stream<never>;

export interface OutboundOwner {
  /** All that a stream had to send, its end too, is on its way. */
  onLocalEnd(stream: AnyStream): void;
}

/**
 * What one connection sends: header blocks at once and in order, data as the windows of the stream, the connection and the socket
 * allow, in rounds of one frame for each stream that has some.
 */
export class Outbound {
  readonly writer: FrameWriter;
  /** Why the connection must end; told when the owner asks, as those who send are not to blame. */
  failure: Http2Error | undefined;
  /** DATA frames ever sent. */
  dataFrames = 0;
  readonly #settings: PeerSettings;
  readonly #guard: AbuseGuard;
  readonly #owner: OutboundOwner;
  readonly #maxQueuedBytes: number;
  readonly #encoder: HpackEncoder;
  readonly #round: AnyStream[] = [];
  #window = 65_535;
  #blocked = false;

  constructor(
    settings: PeerSettings,
    guard: AbuseGuard,
    owner: OutboundOwner,
    options: { readonly onOutput: () => void; readonly maxQueuedBytes: number; readonly headerTableBytes: number },
  ) {
    this.#settings = settings;
    this.#guard = guard;
    this.#owner = owner;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#encoder = new HpackEncoder({ maxTableBytes: options.headerTableBytes });
    this.writer = new FrameWriter(options.onOutput);
  }

  // Header blocks

  /**
   * @param pseudo name, value … of the pseudo headers
   * @param headers name, value …, names in lower case; those that HTTP/2 does not have are left out
   */
  headers(
    streamId: number,
    pseudo: readonly string[],
    headers: readonly string[],
    neverIndexed: readonly string[] | undefined,
    endStream: boolean,
  ): void {
    const { writer } = this;
    const at = writer.reserve(FRAME_HEADER_BYTES + 16 + roomFor(pseudo) + roomFor(headers));
    const encoder = this.#encoder;
    const start = at + FRAME_HEADER_BYTES;
    encoder.begin(writer.buffer, start);
    for (let i = 0; i < pseudo.length; i += 2) encoder.header(pseudo[i] ?? "", pseudo[i + 1] ?? "");
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? "";
      if (isConnectionSpecific(name)) continue;
      encoder.header(name, headers[i + 1] ?? "", neverIndexed?.includes(name) ?? false);
    }
    const end = encoder.end();
    this.#count(false);
    const flags = endStream ? FLAG.endStream : 0;
    if (end - start <= this.#settings.maxFrameBytes) {
      writeFrameHeader(writer.buffer, at, end - start, FRAME.headers, flags | FLAG.endHeaders, streamId);
      writer.commit(end);
    } else this.#split(streamId, flags, Buffer.from(writer.buffer.subarray(start, end)));
  }

  /** A block that is too long for one frame. */
  #split(streamId: number, flags: number, block: Buffer): void {
    const size = this.#settings.maxFrameBytes;
    for (let from = 0; from < block.length; from += size) {
      const piece = block.subarray(from, from + size);
      const last = from + size >= block.length ? FLAG.endHeaders : 0;
      const type = from === 0 ? FRAME.headers : FRAME.continuation;
      const at = this.writer.frame(type, (from === 0 ? flags : 0) | last, streamId, piece.length);
      this.writer.buffer.set(piece, at);
    }
  }

  // Data

  /** Sends, or keeps for later. @returns true when the chunk's bytes were copied, so that nothing here holds it */
  data(stream: AnyStream, chunk: Buffer, endStream: boolean): boolean {
    if (endStream) stream.endQueued = true;
    if (stream.queue.length === 0 && this.#sendsAtOnce(stream, chunk.length)) {
      this.#sendData(stream, chunk, endStream);
      return chunk.length <= COPY_BYTES;
    }
    if (chunk.length > 0) stream.queue.add(chunk);
    this.schedule(stream);
    this.pump();
    if (stream.queue.length >= this.#maxQueuedBytes && !stream.writeBlocked && !stream.closed) {
      stream.writeBlocked = true;
      stream.sink?.onWriteBlocked();
    }
    return false;
  }

  /** @param headers name, value … */
  trailers(stream: AnyStream, headers: readonly string[], neverIndexed: readonly string[] | undefined): void {
    stream.endQueued = true;
    stream.trailers = { headers, neverIndexed };
    if (stream.queue.length === 0) this.#sendEnd(stream);
  }

  /** Puts a stream that has something to send into the round. */
  schedule(stream: AnyStream): void {
    if (stream.scheduled || stream.closed) return;
    stream.scheduled = true;
    this.#round.push(stream);
  }

  /** Sends as much of what waits as may be sent now. */
  pump(): void {
    const round = this.#round;
    // Each time round, those that the windows hold back leave; `onWindow` and `onWindowUpdate` bring them back.
    while (round.length > 0 && this.#mayWrite()) {
      const stream = round.shift();
      if (stream === undefined) return;
      stream.scheduled = false;
      if (stream.closed) continue;
      if (stream.queue.length > 0 && this.#window <= 0) {
        stream.scheduled = true;
        round.unshift(stream);
        return;
      }
      this.#sendTurn(stream);
    }
  }

  #mayWrite(): boolean {
    return !this.#blocked && this.writer.bytes < MAX_BATCH_BYTES;
  }

  #sendsAtOnce(stream: AnyStream, bytes: number): boolean {
    if (bytes === 0) return true;
    return this.#mayWrite() && bytes <= stream.sendWindow && bytes <= this.#window && this.#round.length === 0;
  }

  /** One frame of what a stream has. */
  #sendTurn(stream: AnyStream): void {
    const { queue } = stream;
    if (queue.length === 0) {
      if (stream.endQueued) this.#sendEnd(stream);
      return;
    }
    const size = Math.min(this.#settings.maxFrameBytes, this.#window, stream.sendWindow);
    if (size <= 0) return;
    const chunk = queue.shift(size);
    this.#sendData(stream, chunk, queue.length === 0 && stream.endQueued);
    if (queue.length > 0) this.schedule(stream);
    if (stream.writeBlocked && queue.length * 2 <= this.#maxQueuedBytes && !stream.closed) {
      stream.writeBlocked = false;
      stream.sink?.onWritable();
    }
  }

  /** Windows allow it. */
  #sendData(stream: AnyStream, chunk: Buffer, last: boolean): void {
    stream.sendWindow -= chunk.length;
    this.#window -= chunk.length;
    const size = this.#settings.maxFrameBytes;
    const end = last && stream.trailers === undefined ? FLAG.endStream : 0;
    for (let from = 0; from + size < chunk.length; from += size)
      this.#dataFrame(stream.id, 0, chunk.subarray(from, from + size));
    const rest = chunk.length <= size ? 0 : Math.floor((chunk.length - 1) / size) * size;
    if (chunk.length > 0 || end !== 0) this.#dataFrame(stream.id, end, rest === 0 ? chunk : chunk.subarray(rest));
    if (!last) return;
    if (stream.trailers === undefined) this.#owner.onLocalEnd(stream);
    else this.#sendEnd(stream);
  }

  #dataFrame(streamId: number, flags: number, data: Buffer): void {
    this.dataFrames++;
    this.#count(false);
    this.writer.data(streamId, flags, data);
  }

  #sendEnd(stream: AnyStream): void {
    const { trailers } = stream;
    if (trailers === undefined || trailers.headers.length === 0) this.#dataFrame(stream.id, FLAG.endStream, NO_BYTES);
    else this.headers(stream.id, [], trailers.headers, trailers.neverIndexed, true);
    this.#owner.onLocalEnd(stream);
  }

  // Control frames

  /** @param values identifier, value, identifier, value … */
  settings(values: readonly number[]): void {
    writeSettings(this.writer, values);
  }

  settingsAck(): void {
    this.writer.frame(FRAME.settings, FLAG.ack, 0, 0);
    this.#count(true);
  }

  /** @param opaque 8 bytes */
  ping(opaque: Buffer, ack: boolean): void {
    writePing(this.writer, opaque, ack);
    if (ack) this.#count(true);
  }

  rstStream(streamId: number, errorCode: number): void {
    writeNumber(this.writer, FRAME.rstStream, streamId, errorCode);
    this.#count(true);
  }

  goAway(lastStreamId: number, errorCode: number, text: string): void {
    writeGoAway(this.writer, lastStreamId, errorCode, text);
  }

  windowUpdate(streamId: number, bytes: number): void {
    writeNumber(this.writer, FRAME.windowUpdate, streamId, bytes);
  }

  // What the peer and the socket say

  onPeerTableSize(bytes: number): void {
    this.#encoder.setPeerLimit(bytes);
  }

  /** The connection's window has grown. @throws Http2Error when it is larger than a window may be */
  onWindow(bytes: number): void {
    if (this.#window + bytes > LARGEST_WINDOW_BYTES) {
      throw new Http2Error(ERROR_CODE.flowControlError, "the connection's window is above 2147483647");
    }
    this.#window += bytes;
    this.pump();
  }

  /** A stream's window has grown. */
  onStreamWindow(stream: AnyStream): void {
    if (stream.queue.length === 0) return;
    this.schedule(stream);
    this.pump();
  }

  /** @param blocked the socket holds more than it should: data waits in its streams */
  setBlocked(blocked: boolean): void {
    this.#blocked = blocked;
  }

  /** A control frame counts against a peer that makes us send it and does not read. */
  #count(control: boolean): void {
    this.failure ??= this.#guard.onFrameSent(control);
  }
}

const NO_BYTES = Buffer.alloc(0);

function roomFor(headers: readonly string[]): number {
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 2) bytes += HpackEncoder.mostBytes(headers[i] ?? "", headers[i + 1] ?? "");
  return bytes;
}

function isConnectionSpecific(name: string): boolean {
  switch (name) {
    case "connection":
    case "keep-alive":
    case "proxy-connection":
    case "transfer-encoding":
    case "upgrade":
      return true;
    default:
      return false;
  }
}
