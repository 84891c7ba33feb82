import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";
import { connectionInfoOf } from "./connection-info.ts";
import type { ConnectionInfo, ServerConnection } from "./stream.ts";

/** How an HTTP/2 connection begins (RFC 9113 §3.4); no method of HTTP/1.1 is called so. */
const HTTP2_START = Buffer.from("PRI ", "latin1");

export interface DetectionEvents {
  /** Serve it now; the bytes that told are read again after that. */
  onProtocol(protocol: "http1" | "http2", detection: ProtocolDetection): void;
  /** It ended, or was silent for too long. */
  onGone(detection: ProtocolDetection, why: "idle timeout" | "header timeout" | "closed"): void;
}

/** What TLS has agreed on (RFC 7301); undefined when the first bytes must tell. */
export function negotiatedProtocol(socket: Socket): "http1" | "http2" | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  if (socket.alpnProtocol === "h2") return "http2";
  return socket.alpnProtocol === "http/1.1" ? "http1" : undefined;
}

/** A client's connection until its first bytes say what it speaks: HTTP/2 by prior knowledge, or HTTP/1.1. */
export class ProtocolDetection implements ServerConnection, Expiring {
  readonly info: ConnectionInfo;
  readonly activeStreams = 0;
  readonly #deadline: WheelTimer;
  readonly #socket: Socket;
  readonly #events: DetectionEvents;
  readonly #wheel: TimerWheel;
  #first: Buffer | undefined;
  #over = false;

  constructor(
    socket: Socket,
    events: DetectionEvents,
    options: { readonly wheel: TimerWheel; readonly timeoutMs: number },
  ) {
    this.#socket = socket;
    this.#events = events;
    this.#wheel = options.wheel;
    this.info = connectionInfoOf(socket);
    this.#deadline = this.#wheel.timer(this);
    this.#deadline.deadlineMs = this.#wheel.nowMs + options.timeoutMs;
    socket.on("data", this.#onBytes);
    socket.on("end", this.#onGone);
    socket.on("error", this.#onGone);
    socket.on("close", this.#onGone);
  }

  drain(): void {
    // Its first request may be on its way; what serves it will drain.
  }

  destroy(): void {
    this.#end("closed");
  }

  onDeadline(): void {
    this.#end(this.#first === undefined ? "idle timeout" : "header timeout");
  }

  readonly #onBytes = (chunk: Buffer): void => {
    const first = this.#first === undefined ? chunk : Buffer.concat([this.#first, chunk]);
    this.#first = first;
    const length = Math.min(first.length, HTTP2_START.length);
    const may = first.compare(HTTP2_START, 0, length, 0, length) === 0;
    if (may && length < HTTP2_START.length) return;
    this.#leave();
    this.#events.onProtocol(may ? "http2" : "http1", this);
    // Whoever serves it listens now, and reads what came as if it came now.
    this.#socket.emit("data", first);
  };

  readonly #onGone = (): void => this.#end("closed");

  #end(why: "idle timeout" | "header timeout" | "closed"): void {
    if (this.#over) return;
    this.#leave();
    this.#socket.on("error", () => undefined);
    this.#socket.destroy();
    this.#events.onGone(this, why);
  }

  #leave(): void {
    this.#over = true;
    this.#deadline.cancel();
    this.#socket.off("data", this.#onBytes);
    this.#socket.off("end", this.#onGone);
    this.#socket.off("error", this.#onGone);
    this.#socket.off("close", this.#onGone);
  }
}
