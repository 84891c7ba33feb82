import type { Socket } from "node:net";
import { MemberList } from "@fairlead/buffer";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import type { Expiring, WheelTimer } from "@fairlead/timer-wheel";
import { connectionInfoOf } from "../connection-info.ts";
import { listenToBytes } from "../direct-input.ts";
import { SocketWriter } from "../socket-writer.ts";
import type { ServerConnectionOptions } from "../stream-factory.ts";
import type { ConnectionInfo, ServerConnection, ServerConnectionEvents } from "../stream.ts";
import { RpcRequestHead } from "./rpc-head.ts";
import { RpcServerStream, type ServerStreamOwner } from "./server-stream.ts";

/** Clients send a heartbeat after 15 s (bolt) or 60 s (Dubbo) without a call, and give up after three. */
const IDLE_TIMEOUT_MS = 180_000;
const FIRST_FRAME_TIMEOUT_MS = 60_000;
/** Calls of one connection that have no answer yet; what comes beyond is told that the mesh is busy. */
const MAX_STREAMS = 4096;
/** A client that was told to go away may have calls on their way to us. */
const DRAIN_IDLE_MS = 2_000;

/** A client's connection of an RPC protocol: many calls at a time, answered in any order. */
export class RpcServerConnection implements ServerConnection, ServerStreamOwner, Expiring {
  readonly info: ConnectionInfo;
  readonly protocol: RpcProtocol;
  readonly clientProtocol: string;
  readonly #deadline: WheelTimer;
  readonly #socket: Socket;
  readonly #events: ServerConnectionEvents;
  readonly #options: ServerConnectionOptions;
  readonly #writer: SocketWriter;
  readonly #collector: FrameCollector;
  readonly #streams = new MemberList<RpcServerStream>();
  #draining = false;
  #closed = false;
  #idle = false;

  constructor(protocol: RpcProtocol, socket: Socket, events: ServerConnectionEvents, options: ServerConnectionOptions) {
    this.protocol = protocol;
    this.clientProtocol = protocol.name;
    this.#socket = socket;
    this.#events = events;
    this.#options = options;
    this.info = connectionInfoOf(socket);
    this.#collector = new FrameCollector(protocol);
    // A client that does not read its answers may not ask for more of them.
    this.#writer = new SocketWriter(
      socket,
      {
        onWriteBlocked: () => socket.pause(),
        onWritable: () => socket.resume(),
      },
      options.highWatermarkBytes,
    );
    socket.setNoDelay(true);
    this.#deadline = options.wheel.timer(this);
    this.#deadline.deadlineMs = options.wheel.nowMs + FIRST_FRAME_TIMEOUT_MS;
    listenToBytes(socket, (chunk) => this.#onBytes(chunk));
    socket.on("end", () => this.#onGone());
    socket.on("error", () => this.#onGone());
    socket.on("close", () => this.#onGone());
  }

  get activeStreams(): number {
    return this.#streams.size;
  }

  drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    const goodbye = this.protocol.goAway(0);
    if (goodbye !== undefined) this.#writer.write(goodbye);
    this.#restartClock();
  }

  destroy(): void {
    this.#onGone();
  }

  onDeadline(): void {
    if (this.#streams.size > 0) {
      this.#restartClock();
      return;
    }
    this.#idle = true;
    this.destroy();
  }

  #onBytes(chunk: Buffer): void {
    try {
      this.#collector.execute(chunk, (bytes) => this.#onFrame(this.protocol.frameOf(bytes)));
    } catch (error) {
      this.#events.onProtocolError(error instanceof Error ? error : new Error(String(error)), this);
      this.destroy();
      return;
    }
    this.#restartClock();
  }

  #onFrame(frame: RpcFrame): void {
    if (this.#closed) return;
    switch (frame.kind) {
      case "request":
      case "one-way":
        this.#onCall(frame);
        return;
      case "heartbeat":
        this.#writer.write(this.protocol.heartbeatReply(frame));
        return;
      case "response":
      case "heartbeat-reply":
      case "go-away":
      case "come-back":
        // We ask clients nothing, and open no calls to them.
        return;
    }
  }

  #onCall(frame: RpcFrame): void {
    const head = this.#headOf(frame);
    if (head === undefined) return;
    if (this.#streams.size >= MAX_STREAMS) {
      this.#refuse(frame, "overflow", `${MAX_STREAMS} calls of this connection have no answer yet`);
      return;
    }
    const stream = new RpcServerStream(this, frame);
    this.#streams.add(stream);
    const receiver = this.#events.onStream(stream, this);
    stream.receiver = receiver;
    try {
      receiver.onHead(head, false);
      stream.receiver?.onData(frame.bytes, true);
    } catch (error) {
      // Attachments are read when a route or filter asks for one.
      if (!isUnreadable(error)) throw error;
      stream.refuse(error.message);
    }
  }

  /** @returns undefined when the call cannot be read: it is answered, and the connection goes on */
  #headOf(frame: RpcFrame): RpcRequestHead | undefined {
    try {
      // One that cannot be read has no service: a route for any service takes it, else it has none.
      return new RpcRequestHead(this.protocol, frame, this.protocol.callOf(frame));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#refuse(frame, "malformed", error.message);
    }
    return undefined;
  }

  #refuse(frame: RpcFrame, failure: "malformed" | "overflow", text: string): void {
    if (frame.kind === "request") this.#writer.write(this.protocol.failureOf(frame, failure, text));
  }

  onResponse(stream: RpcServerStream, frame: Buffer | undefined): void {
    this.#streams.delete(stream);
    if (this.#closed) return;
    if (frame !== undefined) this.#writer.write(frame);
    if (this.#draining && this.#streams.size === 0) this.#restartClock();
  }

  #restartClock(): void {
    this.#deadline.deadlineMs = this.#options.wheel.nowMs + (this.#draining ? DRAIN_IDLE_MS : IDLE_TIMEOUT_MS);
  }

  #onGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.cancel();
    // What has been answered goes out first.
    this.#writer.flush();
    this.#socket.destroySoon();
    const streams = this.#streams.takeAll();
    for (const stream of streams) stream.abandon("connection termination", "the client closed the connection");
    this.#events.onClosed(this, this.#idle ? "idle timeout" : "closed");
  }
}

/** A body that is not what its frame says: the call fails, the connection goes on. */
function isUnreadable(error: unknown): error is FairleadError {
  return error instanceof FairleadError && error.code === "FL_RPC_BODY_UNREADABLE";
}
