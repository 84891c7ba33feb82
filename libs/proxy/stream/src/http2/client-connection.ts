import type { Socket } from "node:net";
import { MemberList } from "@fairlead/buffer";
import { ERROR_CODE, Http2ClientConnection, Http2Error } from "@fairlead/codec-http2";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import type { ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import type { ConnectionOptions } from "../stream-factory.ts";
import type { ClientConnection, ClientConnectionEvents, ConnectionInfo, StreamReceiver } from "../stream.ts";
import { Http2ResponseStream } from "./client-stream.ts";
import { codecOptions } from "./codec-options.ts";
import { FrameOutput } from "./frame-output.ts";
import { KEEP_ALIVE_TIMEOUT, KeepAlive } from "./keep-alive.ts";

/** Our HTTP/2 connection to a host: as many requests at the same time as the host allows. */
export class Http2ClientStreams implements ClientConnection {
  readonly info: ConnectionInfo;
  readonly peerIdleTimeoutMs = undefined;
  streamsOpened = 0;
  readonly #socket: Socket;
  readonly #events: ClientConnectionEvents;
  readonly #codec: Http2ClientConnection;
  readonly #output: FrameOutput;
  #keepAlive: KeepAlive | undefined;
  readonly #streams = new MemberList<Http2ResponseStream>();
  #draining = false;
  #closed = false;
  /** Frames of one read are being handled: what is done is told after them. */
  #reading = false;
  #doneWhileReading = false;

  constructor(socket: Socket, events: ClientConnectionEvents, options: ConnectionOptions) {
    this.#socket = socket;
    this.#events = events;
    this.info = connectionInfoOf(socket);
    this.#output = new FrameOutput(socket, options.highWatermarkBytes, () => this.#checkPeer());
    this.#codec = new Http2ClientConnection(
      { onGoAway: () => this.#onCapacity(), onSettings: () => this.#onCapacity() },
      codecOptions(
        options,
        () => performance.now(),
        () => this.#output.schedule(),
        (opaque) => this.#keepAlive?.onPingAck(opaque),
      ),
    );
    const { keepAlive, stats } = options.http2 ?? {};
    if (keepAlive !== undefined) this.#keepAlive = new KeepAlive(keepAlive, this, stats);
    this.#output.attach(this.#codec);
    socket.setNoDelay(true);
    listenToBytes(
      socket,
      (chunk) => this.#onBytes(chunk),
      () => this.#codec.dataBytes,
    );
    socket.on("end", () => this.#onGone("connection termination", "the server closed the connection"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#onGone("connection termination", error.code ?? error.message),
    );
    socket.on("close", () => this.#onGone("connection termination", "the connection is closed"));
  }

  get activeStreams(): number {
    return this.#streams.size;
  }

  get maxConcurrentStreams(): number {
    return this.#closed || this.#draining ? 0 : this.#codec.maxConcurrentStreams;
  }

  sendPing(opaque: Buffer): void {
    this.#codec.sendPing(opaque);
    this.#output.flush();
  }

  onKeepAliveTimeout(): void {
    this.#onGone("connection termination", KEEP_ALIVE_TIMEOUT);
  }

  openStream(receiver: StreamReceiver<ResponseHead>): Http2ResponseStream {
    this.#keepAlive?.onRequest();
    this.streamsOpened++;
    const stream = new Http2ResponseStream(this.#codec, receiver, this.#onStreamClosed);
    this.#streams.add(stream);
    return stream;
  }

  drain(): void {
    this.#draining = true;
    if (this.#streams.size === 0) this.destroy();
  }

  destroy(): void {
    if (!this.#closed) {
      this.#codec.end(ERROR_CODE.noError, "");
      this.#output.flush();
    }
    this.#onGone("local reset", "the connection is closed");
  }

  #onBytes(chunk: Buffer): void {
    if (this.#closed) return;
    this.#keepAlive?.onFrames();
    this.#reading = true;
    try {
      this.#codec.receive(chunk);
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#reading = false;
    }
    if (this.#closed) return;
    this.#output.flush();
    if (!this.#doneWhileReading) return;
    this.#doneWhileReading = false;
    this.#onCapacity();
  }

  readonly #onStreamClosed = (stream: Http2ResponseStream): void => {
    if (!this.#streams.delete(stream) || this.#closed) return;
    this.#onCapacity();
  };

  /** A stream more may be opened, or none any more. */
  #onCapacity(): void {
    if (this.#closed) return;
    if (this.#reading) {
      this.#doneWhileReading = true;
      return;
    }
    if (this.#streams.size === 0 && this.maxConcurrentStreams === 0) this.destroy();
    else this.#events.onStreamDone(this);
  }

  #checkPeer(): void {
    if (this.#closed) return;
    try {
      this.#codec.checkFailure();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    this.#output.flush();
    if (error instanceof Http2Error) this.#onGone("protocol error", `${error.details}: ${error.message}`);
    else this.#onGone("local reset", `internal error: ${String(error)}`);
  }

  #onGone(reason: ResetReason, details: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive?.end();
    this.#codec.close();
    this.#socket.destroy();
    const streams = this.#streams.takeAll();
    for (const stream of streams) stream.tellReset(reason, details);
    this.#events.onClosed(this);
  }
}
