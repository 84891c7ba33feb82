import { connect, type Socket } from "node:net";
import type { LoadClient, LoadTarget } from "./load-client.ts";

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * HTTP/1.1 on plain sockets, as a client without mercy: what ends after a request was sent is a failure and not tried again. An idle
 * connection may be closed.
 */
export class Http1Client implements LoadClient {
  readonly #port: number;
  readonly #request: string;
  readonly #keepAlive: boolean;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #answer = "";

  constructor({ port, host, path = "/" }: LoadTarget, keepAlive: boolean) {
    this.#port = port;
    this.#keepAlive = keepAlive;
    const connection = keepAlive ? "" : "connection: close\r\n";
    this.#request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${connection}\r\n`;
  }

  request(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const socket = this.#socket ?? this.#connect();
      socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (text) => this.#onText(String(text), socket));
    socket.on("error", (error) => this.#onGone(error, socket));
    socket.on("end", () =>
      this.#onGone(new Error(`the connection ended after ${JSON.stringify(this.#answer)}`), socket),
    );
    socket.on("close", () => this.#onGone(new Error("the connection closed"), socket));
    return socket;
  }

  #onText(text: string, socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#answer += text;
    const headEnd = this.#answer.indexOf("\r\n\r\n");
    if (headEnd === -1) return;
    const head = this.#answer.slice(0, headEnd).toLowerCase();
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
    const end = length === undefined ? this.#answer.indexOf("\r\n0\r\n\r\n") + 7 : headEnd + 4 + Number(length);
    if (end < headEnd + 4 || this.#answer.length < end) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const unasked = this.#answer.slice(end);
    this.#answer = "";
    if (!this.#keepAlive || /\r\nconnection: close/.test(head)) this.#leave(socket);
    if (waiting === undefined || unasked !== "") throw new Error(`an answer that nobody asked for: ${head} ${unasked}`);
    if (head.startsWith("http/1.1 200")) waiting.resolve();
    else waiting.reject(new Error(head.replaceAll("\r\n", " | ")));
  }

  #leave(socket: Socket): void {
    this.#socket = undefined;
    socket.end();
  }

  #onGone(error: Error, socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#leave(socket);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
