import type { Socket } from "node:net";
import {
  defaultParserLimits,
  Http1Error,
  type Http1ResponseHead,
  Http1ResponseParser,
  type Http1ResponseSink,
  properCaseNames,
} from "@fairlead/codec-http1";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import { HeaderMap } from "../header-map.ts";
import type { ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import { SocketWriter } from "../socket-writer.ts";
import type { ConnectionOptions } from "../stream-factory.ts";
import type { ClientConnection, ClientConnectionEvents, ConnectionInfo, StreamReceiver } from "../stream.ts";
import { type ClientStreamOwner, Http1ClientStream } from "./client-stream.ts";
import { NO_BYTES } from "./message-body.ts";

/** A host that takes nothing of a tunnel's last bytes for this long is not waited for. */
const STALLED_MS = 10_000;

/** Our HTTP/1.1 connection to a host: one request at a time, reused while both sides allow it. */
export class Http1ClientConnection implements ClientConnection, Http1ResponseSink, ClientStreamOwner {
  readonly info: ConnectionInfo;
  readonly maxConcurrentStreams = 1;
  readonly writer: SocketWriter;
  streamsOpened = 0;
  peerIdleTimeoutMs: number | undefined;
  readonly #socket: Socket;
  readonly #events: ClientConnectionEvents;
  readonly #properCase: boolean;
  readonly sendsTrailers: boolean;
  readonly #parser: Http1ResponseParser;
  #stream: Http1ClientStream | undefined;
  #draining = false;
  #closed = false;
  /** Bytes of one read are being parsed: the connection is handed back only when none of them is left over. */
  #parsing = false;
  #doneWhileParsing = false;
  /** What of the last read somebody was given. */
  #passedBytes = 0;

  constructor(socket: Socket, events: ClientConnectionEvents, options: ConnectionOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#properCase = options.http1?.properCase === true;
    this.sendsTrailers = options.http1?.trailers === true;
    this.info = connectionInfoOf(socket);
    this.#parser = new Http1ResponseParser(this, {
      maxHeadBytes: options.maxHeadBytes ?? defaultParserLimits.maxHeadBytes,
      maxHeaders: options.maxHeaders ?? defaultParserLimits.maxHeaders,
      trailers: this.sendsTrailers,
    });
    this.writer = new SocketWriter(
      socket,
      {
        onWriteBlocked: () => this.#stream?.receiver?.onWriteBlocked(),
        onWritable: () => this.#stream?.receiver?.onWritable(),
      },
      options.highWatermarkBytes,
    );
    socket.setNoDelay(true);
    listenToBytes(
      socket,
      (chunk) => this.#onBytes(chunk),
      () => this.#passedBytes,
    );
    socket.on("end", () => {
      // For a response without a length this is its end, which is told from here.
      if (!this.#closed) this.#parser.finish();
      // A tunnel's other half may go on.
      if (this.#stream?.tunnel !== undefined && this.#stream.responseEnded) return;
      this.#onGone("connection termination", "the server closed the connection");
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#onGone("connection termination", error.code ?? error.message),
    );
    socket.on("close", () => this.#onGone("connection termination", "the connection is closed"));
  }

  get activeStreams(): number {
    return this.#stream === undefined ? 0 : 1;
  }

  openStream(receiver: StreamReceiver<ResponseHead>): Http1ClientStream {
    this.streamsOpened++;
    const stream = new Http1ClientStream(this, receiver);
    this.#stream = stream;
    return stream;
  }

  drain(): void {
    this.#draining = true;
    if (this.#stream === undefined) this.destroy();
  }

  destroy(): void {
    this.#onGone("local reset", "the connection is closed");
  }

  // Bytes in

  #onBytes(chunk: Buffer): void {
    this.#parsing = true;
    this.#passedBytes = 0;
    try {
      for (let at = 0; at < chunk.length && !this.#closed;) {
        if (this.#stream === undefined || this.#stream.responseEnded) {
          // Nobody asked: what it belongs to cannot be told.
          this.#onGone("protocol error", "bytes after the end of a response");
          return;
        }
        at = this.#parser.execute(chunk, at);
      }
    } catch (error) {
      if (error instanceof Http1Error) this.#onGone("protocol error", `${error.details}: ${error.message}`);
      else this.#onGone("local reset", `internal error: ${String(error)}`);
    } finally {
      this.#parsing = false;
    }
    if (this.#doneWhileParsing) {
      this.#doneWhileParsing = false;
      if (!this.#closed) this.#events.onStreamDone(this);
    }
  }

  onHead(head: Http1ResponseHead): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.keepAlive = head.keepAlive;
    if (head.keepAliveTimeoutSeconds >= 0) this.peerIdleTimeoutMs = head.keepAliveTimeoutSeconds * 1000;
    stream.responseEnded = head.framing === 0;
    if (stream.tunnel !== undefined) stream.onTunnelAnswer(head.tunnel);
    stream.receiver?.onHead({ status: head.status, headers: new HeaderMap(head.headers) }, stream.responseEnded);
  }

  onData(slice: Buffer): void {
    const receiver = this.#stream?.receiver;
    if (receiver === undefined) return;
    this.#passedBytes += slice.length;
    receiver.onData(slice, false);
  }

  onInterim(status: number): void {
    if (status === 100) this.#stream?.receiver?.onContinue?.();
  }

  onEnd(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (!stream.responseEnded) {
      stream.responseEnded = true;
      stream.receiver?.onData(NO_BYTES, true);
    }
    this.#onHalfDone(stream);
  }

  onTrailers(trailers: string[]): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.responseEnded = true;
    stream.receiver?.onTrailers(new HeaderMap(trailers));
    this.#onHalfDone(stream);
  }

  // What the stream says

  writeHead(text: string): void {
    this.writer.write(this.#properCase ? properCaseNames(text) : text);
  }

  onRequestHead(method: string, upgrade?: string): void {
    this.#parser.expect(method, upgrade);
  }

  onTunnel(): void {
    this.#socket.allowHalfOpen = true;
  }

  onRequestEnd(stream: Http1ClientStream): void {
    if (stream.tunnel !== undefined) this.#socket.end();
    this.#onHalfDone(stream);
  }

  onStreamReset(stream: Http1ClientStream): void {
    if (this.#stream === stream) this.destroy();
  }

  setReading(reading: boolean): void {
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  #onHalfDone(stream: Http1ClientStream): void {
    if (this.#stream !== stream || !stream.requestEnded || !stream.responseEnded) return;
    this.#stream = undefined;
    stream.receiver = undefined;
    if (stream.tunnel !== undefined) {
      // What it still has to send is sent; the host has nothing more to say.
      this.#socket.setTimeout(STALLED_MS, () => this.destroy());
      return;
    }
    if (!stream.keepAlive || this.#draining) {
      this.destroy();
      return;
    }
    this.#socket.resume();
    if (this.#parsing) this.#doneWhileParsing = true;
    else this.#events.onStreamDone(this);
  }

  #onGone(reason: ResetReason, details: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#socket.destroy();
    if (stream !== undefined && !stream.responseEnded) stream.receiver?.onReset(reason, details);
    this.#events.onClosed(this);
  }
}
