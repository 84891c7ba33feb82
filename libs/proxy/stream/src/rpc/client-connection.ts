import type { Socket } from "node:net";
import { IdTable, MemberList } from "@fairlead/buffer";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import type { ResponseHead } from "../message.ts";
import type { ResetReason } from "../reset-reason.ts";
import { SocketWriter } from "../socket-writer.ts";
import type { ConnectionOptions } from "../stream-factory.ts";
import type { ClientConnection, ClientConnectionEvents, ConnectionInfo, StreamReceiver } from "../stream.ts";
import { type ClientStreamOwner, RpcClientStream } from "./client-stream.ts";
import { type RpcRequestHead, RpcResponseHead } from "./rpc-head.ts";

/** Calls under way on one connection. */
export const MAX_STREAMS = 1024;
/** Silence after which we ask for a sign of life; after three in a row without one the connection is given up. */
const HEARTBEAT_MS = 15_000;
const MISSED_HEARTBEATS = 3;
const LARGEST_ID = 0x7fffffff;

/**
 * Our connection to a host, of an RPC protocol. Each call gets an id of this connection; the frame that a client sent is not changed but for it.
 */
export class RpcClientConnection implements ClientConnection, ClientStreamOwner {
  readonly info: ConnectionInfo;
  readonly peerIdleTimeoutMs = undefined;
  streamsOpened = 0;
  readonly #protocol: RpcProtocol;
  readonly #socket: Socket;
  readonly #events: ClientConnectionEvents;
  readonly #writer: SocketWriter;
  readonly #collector: FrameCollector;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #streams = new MemberList<RpcClientStream>();
  readonly #waiting = new IdTable<RpcClientStream>();
  /** One-way calls that the host does not take. */
  readonly #unwritten = new Set<RpcClientStream>();
  /** What the host said last of itself, until it is told. */
  #hostLeaving: boolean | undefined;
  #nextId = 1;
  #silentFor = 0;
  #draining = false;
  #closed = false;

  constructor(protocol: RpcProtocol, socket: Socket, events: ClientConnectionEvents, options: ConnectionOptions) {
    this.#protocol = protocol;
    this.#socket = socket;
    this.#events = events;
    this.info = connectionInfoOf(socket);
    this.#collector = new FrameCollector(protocol);
    this.#writer = new SocketWriter(
      socket,
      {
        onWriteBlocked: () => this.#tellAll((receiver) => receiver.onWriteBlocked()),
        onWritable: () => {
          const streams = [...this.#unwritten];
          this.#unwritten.clear();
          for (const stream of streams) this.#onWritten(stream);
          this.#tellAll((receiver) => receiver.onWritable());
        },
      },
      options.highWatermarkBytes,
    );
    socket.setNoDelay(true);
    listenToBytes(socket, (chunk) => this.#onBytes(chunk));
    socket.on("end", () => this.#onGone("connection termination", "the server closed the connection"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#onGone("connection termination", error.code ?? error.message),
    );
    socket.on("close", () => this.#onGone("connection termination", "the connection is closed"));
    this.#heartbeat = setInterval(() => this.#askForLife(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get activeStreams(): number {
    return this.#streams.size;
  }

  get maxConcurrentStreams(): number {
    return this.#closed || this.#draining ? 0 : MAX_STREAMS;
  }

  openStream(receiver: StreamReceiver<ResponseHead>): RpcClientStream {
    this.streamsOpened++;
    const stream = new RpcClientStream(this, receiver);
    this.#streams.add(stream);
    return stream;
  }

  drain(): void {
    this.#draining = true;
    if (this.#streams.size === 0) this.destroy();
  }

  destroy(): void {
    this.#onGone("local reset", "the connection is closed");
  }

  // What the streams say

  send(stream: RpcClientStream, head: RpcRequestHead, frame: RpcFrame): void {
    const id = this.#takeId();
    let bytes: Buffer;
    try {
      const { changes } = head.headers;
      // Another attempt, or a mirror, may send the same frame: each has bytes of its own.
      bytes = changes.length === 0 ? Buffer.from(frame.bytes) : this.#protocol.withAttachments(frame, changes);
    } catch (error) {
      this.#fail(stream, "local reset", FairleadError.from(error).message);
      return;
    }
    this.#protocol.setId(bytes, 0, id);
    this.#writer.write(bytes);
    stream.id = id;
    if (frame.kind === "one-way") process.nextTick(() => this.#onWritten(stream));
    else this.#waiting.add(stream);
  }

  onDone(stream: RpcClientStream): void {
    this.#waiting.delete(stream);
    this.#unwritten.delete(stream);
    if (!this.#streams.delete(stream) || this.#closed) return;
    this.#onCapacity();
  }

  // Bytes in

  #onBytes(chunk: Buffer): void {
    this.#silentFor = 0;
    try {
      this.#collector.execute(chunk, (bytes) => this.#onFrame(this.#protocol.frameOf(bytes)));
    } catch (error) {
      const known = error instanceof FairleadError;
      this.#onGone(known ? "protocol error" : "local reset", error instanceof Error ? error.message : String(error));
    }
  }

  #onFrame(frame: RpcFrame): void {
    if (this.#closed) return;
    switch (frame.kind) {
      case "response":
        this.#onResponse(frame);
        return;
      case "heartbeat":
        // A host that asks for signs of life and does not read them gets no more of them: they would pile up here.
        if (!this.#writer.blocked) this.#writer.write(this.#protocol.heartbeatReply(frame));
        return;
      case "go-away":
        this.#draining = true;
        this.#onHostLeaving(true);
        this.#onCapacity();
        return;
      case "come-back":
        this.#draining = false;
        this.#onHostLeaving(false);
        return;
      case "heartbeat-reply":
      case "request":
      case "one-way":
        // A host that calls back would need a connection of the one client that it means; this one is shared.
        return;
    }
  }

  /** Told once for all that one turn brings: the cluster chooses anew among all its hosts each time. */
  #onHostLeaving(leaving: boolean): void {
    const isPlanned = this.#hostLeaving !== undefined;
    this.#hostLeaving = leaving;
    if (isPlanned) return;
    setImmediate(() => {
      const last = this.#hostLeaving === true;
      this.#hostLeaving = undefined;
      this.#events.onHostLeaving?.(last, this);
    });
  }

  #onResponse(frame: RpcFrame): void {
    const stream = frame.idHigh === 0 ? this.#waiting.get(frame.idLow) : undefined;
    // Given up meanwhile, or answered twice.
    if (stream === undefined) return;
    this.#waiting.delete(stream);
    let head: RpcResponseHead;
    try {
      const outcome = this.#protocol.outcomeOf(frame);
      head = new RpcResponseHead(outcome, this.#protocol.refusedStatuses.has(outcome.status));
    } catch (error) {
      // Its frame ends where it says: only this call has no answer.
      this.#fail(stream, "protocol error", FairleadError.from(error).message);
      return;
    }
    if (!stream.finish()) return;
    this.#streams.delete(stream);
    stream.receiver.onHead(head, false);
    stream.receiver.onData(frame.bytes, true);
    this.#onCapacity();
  }

  /**
   * Nobody will answer a one-way call: it is done once it is written. While the host does not read it counts as under way, so that what waits
   * here for a host is as much as calls may be under way, and not as much as clients send.
   */
  #onWritten(stream: RpcClientStream): void {
    if (this.#writer.blocked) this.#unwritten.add(stream);
    else this.#answer(stream, new RpcResponseHead({ delivered: true, threw: false, status: 0, httpStatus: 200 }));
  }

  #answer(stream: RpcClientStream, head: RpcResponseHead): void {
    if (!stream.finish()) return;
    this.#streams.delete(stream);
    stream.receiver.onHead(head, true);
    this.#onCapacity();
  }

  #fail(stream: RpcClientStream, reason: ResetReason, details: string): void {
    if (!stream.finish()) return;
    this.#streams.delete(stream);
    stream.receiver.onReset(reason, details);
    this.#onCapacity();
  }

  #takeId(): number {
    do {
      this.#nextId = this.#nextId === LARGEST_ID ? 1 : this.#nextId + 1;
    } while (this.#waiting.has(this.#nextId));
    return this.#nextId;
  }

  #tellAll(tell: (receiver: StreamReceiver<ResponseHead>) => void): void {
    for (const stream of this.#streams.all()) tell(stream.receiver);
  }

  #askForLife(): void {
    if (this.#silentFor >= MISSED_HEARTBEATS) {
      this.#onGone(
        "connection termination",
        `nothing came for ${(MISSED_HEARTBEATS * HEARTBEAT_MS) / 1000} s, heartbeats neither`,
      );
      return;
    }
    this.#silentFor++;
    this.#writer.write(this.#protocol.heartbeat(this.#takeId()));
  }

  /** A call more may be sent, or none any more. */
  #onCapacity(): void {
    if (this.#closed) return;
    if (this.#streams.size === 0 && this.#draining) this.destroy();
    else this.#events.onStreamDone(this);
  }

  #onGone(reason: ResetReason, details: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#socket.destroy();
    const streams = this.#streams.takeAll();
    this.#waiting.clear();
    for (const stream of streams) if (stream.finish()) stream.receiver.onReset(reason, details);
    this.#events.onClosed(this);
  }
}
