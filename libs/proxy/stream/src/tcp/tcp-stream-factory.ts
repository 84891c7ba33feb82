import type { Socket } from "node:net";
import { FairleadError } from "@fairlead/errors";
import { connectionInfoOf } from "../connection-info.ts";
import { streamErrors } from "../errors.ts";
import { HeaderMap } from "../header-map.ts";
import type { RequestHead, ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import { SocketWriter } from "../socket-writer.ts";
import { type ConnectionOptions, registerStreamFactory, type StreamFactory } from "../stream-factory.ts";
import type {
  ClientConnection,
  ClientConnectionEvents,
  ConnectionInfo,
  StreamReceiver,
  StreamSender,
} from "../stream.ts";

const NO_BYTES = Buffer.alloc(0);
/** A host that takes nothing of the last bytes for this long is not waited for. */
const STALLED_MS = 10_000;

/**
 * A connection of bytes, as one stream: where a CONNECT ends, its bytes go to a host as they are. The head is answered here, with 200;
 * each half ends on its own.
 */
class TcpClientStream implements ClientConnection, StreamSender<RequestHead> {
  readonly info: ConnectionInfo;
  readonly maxConcurrentStreams = 1;
  readonly peerIdleTimeoutMs = undefined;
  streamsOpened = 0;
  readonly #socket: Socket;
  readonly #events: ClientConnectionEvents;
  readonly #writer: SocketWriter;
  #receiver: StreamReceiver<ResponseHead> | undefined;
  #sentEnd = false;
  #gotEnd = false;
  #closed = false;

  constructor(socket: Socket, events: ClientConnectionEvents, options: ConnectionOptions) {
    this.#socket = socket;
    this.#events = events;
    this.info = connectionInfoOf(socket);
    this.#writer = new SocketWriter(
      socket,
      {
        onWriteBlocked: () => this.#receiver?.onWriteBlocked(),
        onWritable: () => this.#receiver?.onWritable(),
      },
      options.highWatermarkBytes,
    );
    socket.setNoDelay(true);
    socket.allowHalfOpen = true;
    // Nothing is read before somebody listens.
    socket.pause();
    socket.on("data", (chunk: Buffer) => this.#receiver?.onData(chunk, false));
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onGone("connection termination", error.code ?? ""));
    socket.on("close", () => this.#onGone("connection termination", "the connection is closed"));
  }

  get activeStreams(): number {
    return this.#receiver === undefined ? 0 : 1;
  }

  openStream(receiver: StreamReceiver<ResponseHead>): StreamSender<RequestHead> {
    this.streamsOpened++;
    this.#receiver = receiver;
    return this;
  }

  drain(): void {
    if (this.#receiver === undefined) this.destroy();
  }

  destroy(): void {
    this.#onGone("local reset", "the connection is closed");
  }

  sendHead(): void {
    this.#receiver?.onHead({ status: 200, headers: new HeaderMap() }, false);
    this.#socket.resume();
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    if (this.#sentEnd || this.#closed) return;
    if (chunk.length > 0) this.#writer.write(chunk);
    if (!endStream) return;
    this.#sentEnd = true;
    this.#writer.flush();
    this.#socket.end();
    if (this.#gotEnd) this.#socket.setTimeout(STALLED_MS, () => this.destroy());
  }

  sendTrailers(): void {
    this.sendData(NO_BYTES, true);
  }

  reset(): void {
    this.#receiver = undefined;
    this.destroy();
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  #onEnd(): void {
    this.#gotEnd = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onData(NO_BYTES, true);
  }

  #onGone(reason: ResetReason, details: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#socket.destroy();
    receiver?.onReset(reason, details);
    this.#events.onClosed(this);
  }
}

export const tcpStreamFactory: StreamFactory = {
  createServer: () => {
    const code: keyof typeof streamErrors = "FL_PROTOCOL_UNKNOWN";
    throw new FairleadError(code, "bytes without a protocol hold no requests", { facts: { protocol: "tcp" } });
  },
  createClient: (socket, events, options) => new TcpClientStream(socket, events, options),
};

registerStreamFactory("tcp", tcpStreamFactory);
