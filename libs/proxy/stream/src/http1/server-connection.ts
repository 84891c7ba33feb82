import type { Socket } from "node:net";
import {
  defaultParserLimits,
  Http1Error,
  type Http1RequestHead,
  Http1RequestParser,
  type Http1RequestSink,
  properCaseNames,
  serializeResponseHead,
} from "@fairlead/codec-http1";
import type { Expiring, WheelTimer } from "@fairlead/timer-wheel";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import { HeaderMap } from "../header-map.ts";
import { SocketWriter } from "../socket-writer.ts";
import type { ServerConnectionOptions } from "../stream-factory.ts";
import type { ConnectionInfo, ServerConnection, ServerConnectionEvents } from "../stream.ts";
import { NO_BYTES } from "./message-body.ts";
import { CONTINUE, Http1ServerStream, type StreamOwner } from "./server-stream.ts";

const DEFAULT_HEADERS_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;
const DEFAULT_FLUSH_TIMEOUT_MS = 300_000;
const DEFAULT_DELAYED_CLOSE_MS = 1000;
/** A client that takes nothing of the last response for this long is not waited for. */
const STALLED_MS = 10_000;

/**
 * A client's HTTP/1.1 connection. One stream at a time: bytes of a pipelined request wait, and the socket with them, until
 * the response before it is out.
 */
export class Http1ServerConnection implements ServerConnection, Http1RequestSink, StreamOwner, Expiring {
  readonly info: ConnectionInfo;
  readonly clientProtocol = "http1";
  readonly writer: SocketWriter;
  readonly #deadline: WheelTimer;
  readonly #socket: Socket;
  readonly #events: ServerConnectionEvents;
  readonly #options: ServerConnectionOptions;
  readonly #properCase: boolean;
  readonly sendsTrailers: boolean;
  readonly #parser: Http1RequestParser;
  #stream: Http1ServerStream | undefined;
  #held: Buffer | undefined;
  /** What of the last read somebody was given; -1 where some of it is held here. */
  #passedBytes = 0;
  #draining = false;
  /** Of the last request. */
  #flushTimeoutMs: number | undefined;
  /** Of the last response, when its time began. */
  #unflushedBytes = 0;
  /** The last response is out: what still comes is discarded. */
  #lingering = false;
  #closed = false;
  #why: "idle timeout" | "header timeout" | "closed" = "closed";

  constructor(socket: Socket, events: ServerConnectionEvents, options: ServerConnectionOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.#properCase = options.http1?.properCase === true;
    this.sendsTrailers = options.http1?.trailers === true;
    this.info = connectionInfoOf(socket);
    this.#parser = new Http1RequestParser(this, {
      maxHeadBytes: options.maxHeadBytes ?? defaultParserLimits.maxHeadBytes,
      maxHeaders: options.maxHeaders ?? defaultParserLimits.maxHeaders,
      ...options.http1,
    });
    this.writer = new SocketWriter(
      socket,
      {
        onWriteBlocked: () => this.#stream?.receiver?.onWriteBlocked(),
        onWritable: () => this.#onWritable(),
      },
      options.highWatermarkBytes,
    );
    socket.setNoDelay(true);
    this.#deadline = options.wheel.timer(this);
    this.#deadline.deadlineMs = options.wheel.nowMs + (options.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS);
    listenToBytes(socket, (chunk) => this.#onBytes(chunk), () => this.#passedBytes); // prettier-ignore
    // A client that closes its half has gone, as for Envoy: HTTP/1.1 gives half-closing no meaning.
    socket.on("end", () => this.#onClientEnd());
    socket.on("error", () => this.#onGone());
    socket.on("close", () => this.#onGone());
  }

  get activeStreams(): number {
    return this.#stream === undefined ? 0 : 1;
  }

  drain(): void {
    this.#draining = true;
  }

  limitIdle(maxMs: number): void {
    if (this.#stream !== undefined || this.#lingering || this.#parser.midMessage) return;
    this.#deadline.deadlineMs = Math.min(this.#deadline.deadlineMs, this.#options.wheel.nowMs + maxMs);
  }

  destroy(): void {
    this.#onGone();
  }

  onDeadline(): void {
    if (this.#lingering && this.writer.unsentBytes > 0) {
      this.#deadline.deadlineMs = this.#options.wheel.nowMs + this.#delayedCloseMs;
      return;
    }
    if (this.#lingering || this.#stream !== undefined) {
      this.destroy();
      return;
    }
    if (!this.#parser.midMessage && this.writer.unsentBytes < this.#unflushedBytes) {
      // It takes its time, but it takes: or has taken all, and is idle since.
      this.#waitForRequest();
      return;
    }
    this.#why = this.#parser.midMessage ? "header timeout" : "idle timeout";
    if (this.#parser.midMessage) {
      this.#events.onRequestRefused?.(408, this);
      this.#answerAndClose(408, "request header timeout");
    } else this.destroy();
  }

  // Bytes in

  #onBytes(chunk: Buffer): void {
    this.#passedBytes = 0;
    if (this.#lingering || this.#closed) return;
    if (this.#held === undefined) this.#read(chunk);
    else this.#held = Buffer.concat([this.#held, chunk]);
  }

  #read(chunk: Buffer): void {
    let at = 0;
    try {
      while (at < chunk.length && !this.#lingering && !this.#closed) {
        if (this.#stream === undefined ? this.writer.blocked : this.#stream.requestComplete) {
          this.#held = at === 0 ? chunk : chunk.subarray(at);
          this.#passedBytes = -1;
          this.#socket.pause();
          return;
        }
        if (this.#stream?.tunnel === true) {
          const bytes = at === 0 ? chunk : chunk.subarray(at);
          this.#countPassed(bytes);
          this.#stream.onTunnelBytes(bytes);
          return;
        }
        at = this.#parser.execute(chunk, at);
      }
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (this.#stream === undefined && this.#parser.midMessage && !this.#lingering) this.#armHeadersTimeout();
  }

  /** Only from the first part of a head: more parts do not give more time. */
  #armHeadersTimeout(): void {
    const limit = this.#options.wheel.nowMs + (this.#options.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS);
    if (this.#deadline.deadlineMs > limit) this.#deadline.deadlineMs = limit;
  }

  onHead(head: Http1RequestHead): void {
    const stream = new Http1ServerStream(this);
    stream.keepAlive = head.keepAlive;
    stream.headRequest = head.method === "HEAD";
    stream.http10 = head.http10;
    stream.upgrade = head.upgrade;
    stream.requestComplete = head.framing === 0;
    if (head.expectContinue && this.#options.http1?.passContinue === true) {
      stream.expectsContinue = true;
      head.headers.push("expect", "100-continue");
    }
    this.#stream = stream;
    this.#flushTimeoutMs = undefined;
    this.#deadline.deadlineMs = Number.POSITIVE_INFINITY;
    const receiver = this.#events.onStream(stream, this);
    stream.receiver = receiver;
    receiver.onHead(
      {
        method: head.method,
        path: head.path,
        authority: head.authority,
        scheme: "http",
        headers: new HeaderMap(head.headers),
        upgrade: head.upgrade,
      },
      stream.requestComplete,
    );
    if (head.expectContinue && !stream.expectsContinue && !stream.responseStarted && !stream.responseEnded) {
      this.writer.write(CONTINUE);
    }
  }

  onData(slice: Buffer): void {
    const receiver = this.#stream?.receiver;
    if (receiver === undefined) return;
    this.#countPassed(slice);
    receiver.onData(slice, false);
  }

  #countPassed(bytes: Buffer): void {
    if (this.#passedBytes !== -1) this.#passedBytes += bytes.length;
  }

  onEnd(): void {
    const stream = this.#completeRequest();
    stream?.receiver?.onData(NO_BYTES, true);
  }

  onTrailers(trailers: string[]): void {
    const stream = this.#completeRequest();
    stream?.receiver?.onTrailers(new HeaderMap(trailers));
  }

  #completeRequest(): Http1ServerStream | undefined {
    const stream = this.#stream;
    if (stream === undefined || stream.requestComplete || stream.tunnel) return undefined;
    stream.requestComplete = true;
    // Also where backpressure had stopped it: a client that goes away is only seen while reading.
    this.#socket.resume();
    return stream;
  }

  // What the stream says

  setFlushTimeout(ms: number): void {
    this.#flushTimeoutMs = ms;
  }

  writeHead(text: string): void {
    this.writer.write(this.#properCase ? properCaseNames(text) : text);
  }

  closesAfter(stream: Http1ServerStream): boolean {
    return this.#draining || !stream.keepAlive;
  }

  onResponseEnd(stream: Http1ServerStream): void {
    if (this.#stream !== stream) return;
    if (stream.tunnel && !stream.requestComplete) {
      // One half of a tunnel: the client may still have something to say.
      this.#socket.end();
      return;
    }
    this.#stream = undefined;
    stream.receiver = undefined;
    // A response before the end of its request: the rest of the request must not be taken for the next one.
    if (!stream.requestComplete || this.closesAfter(stream)) {
      this.#linger();
      return;
    }
    this.#waitForRequest();
    this.#readHeld();
  }

  /** A client that takes nothing of its last response is given up before one that is merely idle. */
  #waitForRequest(): void {
    const { wheel, idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS } = this.#options;
    const flushTimeoutMs = this.#flushTimeoutMs ?? this.#options.flushTimeoutMs ?? DEFAULT_FLUSH_TIMEOUT_MS;
    this.#unflushedBytes = this.writer.unsentBytes;
    const flushing = this.#unflushedBytes > 0 && flushTimeoutMs > 0 && flushTimeoutMs < idleTimeoutMs;
    this.#deadline.deadlineMs = wheel.nowMs + (flushing ? flushTimeoutMs : idleTimeoutMs);
  }

  /** A client that does not read its responses gets no further ones: they would pile up here. */
  #onWritable(): void {
    if (this.#stream === undefined) this.#readHeld();
    else this.#stream.receiver?.onWritable();
  }

  #readHeld(): void {
    const held = this.#held;
    if (held === undefined || this.writer.blocked) return;
    this.#held = undefined;
    this.#socket.resume();
    this.#read(held);
  }

  onTunnel(): void {
    this.#socket.allowHalfOpen = true;
  }

  onTunnelRefused(): void {
    this.#socket.allowHalfOpen = false;
  }

  onStreamReset(stream: Http1ServerStream): void {
    if (this.#stream === stream) this.destroy();
  }

  setReading(reading: boolean): void {
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  // The end

  #refuse(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    const stream = this.#stream;
    this.#events.onProtocolError(failure, this);
    if (failure instanceof Http1Error && (stream === undefined || !stream.responseStarted)) {
      this.#stream = undefined;
      stream?.receiver?.onReset("protocol error", failure.message);
      this.#answerAndClose(failure.status);
    } else this.destroy();
  }

  /** @param text the body */
  #answerAndClose(status: number, text = ""): void {
    const fields = text === "" ? [] : ["content-length", String(text.length), "content-type", "text/plain"];
    this.writer.write(serializeResponseHead(status, fields, { chunked: false, empty: text === "", close: true }));
    if (text !== "") this.writer.write(text);
    this.#linger();
  }

  get #delayedCloseMs(): number {
    return this.#options.delayedCloseMs ?? DEFAULT_DELAYED_CLOSE_MS;
  }

  #linger(): void {
    this.#lingering = true;
    this.#held = undefined;
    this.writer.flush();
    this.#socket.resume();
    this.#socket.end();
    this.#socket.setTimeout(STALLED_MS, () => this.destroy());
    this.#deadline.deadlineMs = this.#options.wheel.nowMs + this.#delayedCloseMs;
  }

  #onClientEnd(): void {
    const stream = this.#stream;
    if (stream === undefined || !stream.tunnel || !stream.responseStarted || this.#closed) {
      this.#onGone();
      return;
    }
    stream.onTunnelEnd();
    if (stream.responseEnded) this.#onGone();
  }

  #onGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    this.#held = undefined;
    this.#socket.destroy();
    stream?.receiver?.onReset("connection termination", "the client closed the connection");
    this.#events.onClosed(this, this.#why);
  }
}
