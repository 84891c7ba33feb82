import type { Socket } from "node:net";
import { MemberList } from "@fairlead/buffer";
import {
  ERROR_CODE,
  Http2Error,
  type Http2RequestHead,
  Http2ServerConnection,
  type Http2ServerEvents,
  type Http2ServerStream,
  type StreamSink,
} from "@fairlead/codec-http2";
import type { Expiring, WheelTimer } from "@fairlead/timer-wheel";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import type { ServerConnectionOptions } from "../stream-factory.ts";
import type { ConnectionInfo, ServerConnection, ServerConnectionEvents } from "../stream.ts";
import { codecOptions } from "./codec-options.ts";
import { FlushWatch } from "./flush-watch.ts";
import { FrameOutput } from "./frame-output.ts";
import { KEEP_ALIVE_TIMEOUT, KeepAlive } from "./keep-alive.ts";
import { Http2RequestStream, type RequestStreamOwner } from "./server-stream.ts";

const DEFAULT_HEADERS_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;
const DEFAULT_FLUSH_TIMEOUT_MS = 300_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5000;
const DEFAULT_DELAYED_CLOSE_MS = 1000;
/** A client that takes nothing of the last frames for this long is not waited for. */
const STALLED_MS = 10_000;

/** A client's HTTP/2 connection. */
export class Http2ServerStreams implements ServerConnection, Http2ServerEvents, RequestStreamOwner, Expiring {
  readonly info: ConnectionInfo;
  readonly clientProtocol = "http2";
  readonly #deadline: WheelTimer;
  readonly #socket: Socket;
  readonly #events: ServerConnectionEvents;
  readonly #options: ServerConnectionOptions;
  readonly #codec: Http2ServerConnection;
  readonly #output: FrameOutput;
  #keepAlive: KeepAlive | undefined;
  /** Of a drain that is under way. */
  #drainEnd: WheelTimer | undefined;
  readonly #streams = new MemberList<Http2RequestStream>();
  /** A head has begun: more parts of it do not give it more time. */
  #headDeadline = true;
  /** Nothing is read any more; what waits is sent, then the connection ends. */
  #lingering = false;
  #closed = false;
  #why: "idle timeout" | "header timeout" | "closed" = "closed";

  constructor(socket: Socket, events: ServerConnectionEvents, options: ServerConnectionOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.info = connectionInfoOf(socket);
    this.#output = new FrameOutput(socket, options.highWatermarkBytes, () => this.#checkPeer());
    const { wheel } = options;
    this.#codec = new Http2ServerConnection(
      this,
      codecOptions(
        options,
        () => wheel.nowMs,
        () => this.#output.schedule(),
        (opaque) => this.#keepAlive?.onPingAck(opaque),
      ),
    );
    const { keepAlive, stats } = options.http2 ?? {};
    if (keepAlive !== undefined) this.#keepAlive = new KeepAlive(keepAlive, this, stats);
    this.#output.attach(this.#codec);
    socket.setNoDelay(true);
    this.#deadline = wheel.timer(this);
    this.#deadline.deadlineMs = wheel.nowMs + this.#headersTimeoutMs;
    listenToBytes(socket, (chunk) => this.#onBytes(chunk));
    socket.on("end", () => this.#onGone("the client closed the connection"));
    socket.on("error", () => this.#onGone("the connection broke"));
    socket.on("close", () => this.#onGone("the connection is closed"));
  }

  get activeStreams(): number {
    return this.#streams.size;
  }

  drain(): void {
    if (this.#closed || this.#lingering || this.#drainEnd !== undefined) return;
    this.#codec.drain();
    const { wheel, drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = this.#options;
    this.#drainEnd = wheel.timer({ onDeadline: () => this.#endDrain() });
    this.#drainEnd.deadlineMs = wheel.nowMs + drainTimeoutMs;
  }

  limitIdle(maxMs: number): void {
    if (this.#streams.size > 0 || this.#headDeadline || this.#closed || this.#lingering) return;
    this.#deadline.deadlineMs = Math.min(this.#deadline.deadlineMs, this.#options.wheel.nowMs + maxMs);
  }

  #endDrain(): void {
    if (this.#closed || this.#lingering) return;
    this.#codec.finishDrain();
    this.#output.flush();
    this.#afterStreams();
  }

  destroy(): void {
    if (!this.#closed && !this.#lingering) {
      // What the client has sent and we have not seen may be sent again elsewhere: it learns where that begins.
      this.#codec.end(ERROR_CODE.noError, "");
      this.#output.flush();
    }
    this.#onGone("the connection is closed");
  }

  onDeadline(): void {
    if (this.#lingering) {
      if (this.#output.unsentBytes > 0) this.#deadline.deadlineMs = this.#options.wheel.nowMs + this.#delayedCloseMs;
      else this.destroy();
      return;
    }
    this.#why = this.#headDeadline ? "header timeout" : "idle timeout";
    this.#codec.end(ERROR_CODE.noError, this.#why);
    this.#linger();
  }

  sendPing(opaque: Buffer): void {
    this.#codec.sendPing(opaque);
    this.#output.flush();
  }

  onKeepAliveTimeout(): void {
    this.#onGone(KEEP_ALIVE_TIMEOUT);
  }

  // Bytes in

  #onBytes(chunk: Buffer): void {
    if (this.#lingering || this.#closed) return;
    this.#keepAlive?.onFrames();
    try {
      this.#codec.receive(chunk);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#output.flush();
    this.#afterStreams();
  }

  onStream(stream: Http2ServerStream): StreamSink<Http2RequestHead> {
    const request = new Http2RequestStream(this.#codec, stream, this);
    this.#streams.add(request);
    request.receiver = this.#events.onStream(request, this);
    return request;
  }

  onRefused(status: number): void {
    this.#events.onRequestRefused?.(status, this);
  }

  onStreamClosed(stream: Http2RequestStream): void {
    this.#streams.delete(stream);
    if (!this.#closed && !this.#lingering) this.#afterStreams();
  }

  watchFlush(stream: Http2ServerStream, timeoutMs: number | undefined): FlushWatch | undefined {
    const { wheel, http2 } = this.#options;
    const flushTimeoutMs = timeoutMs ?? this.#options.flushTimeoutMs ?? DEFAULT_FLUSH_TIMEOUT_MS;
    if (flushTimeoutMs === 0) return undefined;
    return new FlushWatch(stream, wheel, flushTimeoutMs, () => {
      if (http2?.stats !== undefined) http2.stats.tx_flush_timeout++;
      this.#codec.resetStream(stream, ERROR_CODE.cancel);
      this.#output.flush();
    });
  }

  /** Time-outs by what the connection waits for; and its end, when there is nothing more to come. */
  #afterStreams(): void {
    if (this.#closed || this.#lingering) return;
    const { wheel } = this.#options;
    if (this.#codec.midHead || !this.#codec.prefaceComplete) {
      if (this.#headDeadline) return;
      this.#headDeadline = true;
      this.#deadline.deadlineMs = wheel.nowMs + this.#headersTimeoutMs;
      return;
    }
    this.#headDeadline = false;
    if (this.#streams.size > 0) this.#deadline.deadlineMs = Number.POSITIVE_INFINITY;
    else if (this.#codec.drained) this.#linger();
    else this.#deadline.deadlineMs = wheel.nowMs + (this.#options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS);
  }

  get #delayedCloseMs(): number {
    return this.#options.delayedCloseMs ?? DEFAULT_DELAYED_CLOSE_MS;
  }

  get #headersTimeoutMs(): number {
    return this.#options.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS;
  }

  // The end

  /** A client that does not read what it makes us send. */
  #checkPeer(): void {
    if (this.#closed || this.#lingering) return;
    try {
      this.#codec.checkFailure();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#events.onProtocolError(failure, this);
    if (failure instanceof Http2Error) {
      this.#lose("protocol error");
      this.#linger(failure.errorCode !== ERROR_CODE.enhanceYourCalm);
    } else this.destroy();
  }

  /** @param reading what still comes is taken and dropped, so that a slow client sees why; a flood is not */
  #linger(reading = true): void {
    this.#lingering = true;
    this.#output.flush();
    this.#socket.end();
    if (reading) this.#socket.resume();
    else this.#socket.pause();
    this.#socket.setTimeout(STALLED_MS, () => this.destroy());
    this.#deadline.deadlineMs = this.#options.wheel.nowMs + this.#delayedCloseMs;
  }

  #lose(details: string): void {
    const streams = this.#streams.takeAll();
    for (const stream of streams) stream.onConnectionLost(details);
  }

  #onGone(details: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.cancel();
    this.#drainEnd?.cancel();
    this.#keepAlive?.end();
    this.#codec.close();
    this.#socket.destroy();
    this.#lose(details);
    this.#events.onClosed(this, this.#why);
  }
}
