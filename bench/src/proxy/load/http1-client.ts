import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectClient, LoadClient, LoadClientEvents } from "./load-client.ts";

const headEnd = Buffer.from("\r\n\r\n");
const okay = Buffer.from("HTTP/1.1 200");

export interface Http1Target {
  readonly port: number;
  readonly tls: boolean;
  readonly authority: string;
  readonly bodyBytes: number;
}

/** One request at a time; of the answers only what must be known is read: the status and where they end. */
export function http1Client({ port, tls, authority, bodyBytes }: Http1Target): ConnectClient {
  const request = Buffer.from(
    `GET /items?id=1 HTTP/1.1\r\nhost: ${authority}\r\nuser-agent: bench\r\naccept: */*\r\n\r\n`,
  );
  return async (events) =>
    await new Promise((resolve, reject) => {
      const reader = new AnswerReader(bodyBytes, events);
      const socket = tls
        ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
        : connect({ port, host: "127.0.0.1", noDelay: true });
      if (tls) socket.setNoDelay(true);
      socket.once(tls ? "secureConnect" : "connect", () => {
        const client: LoadClient = {
          capacity: 1,
          send: (startedMs) => {
            reader.startedMs = startedMs;
            socket.write(request);
          },
          close: () => socket.destroy(),
        };
        reader.client = client;
        resolve(client);
      });
      socket.on("data", (chunk: Buffer) => reader.read(chunk));
      socket.on("error", (error) => {
        reject(error);
        events.onError(error);
      });
      socket.on("end", () => events.onError(new Error(`port ${port} closed a connection`)));
    });
}

class AnswerReader {
  client: LoadClient | undefined;
  startedMs = 0;
  readonly #bodyBytes: number;
  readonly #events: LoadClientEvents;
  /** Of the answer, from its first byte; -1 while its head is not complete. */
  #missing = -1;
  #head: Buffer | undefined;
  #checked = false;

  constructor(bodyBytes: number, events: LoadClientEvents) {
    this.#bodyBytes = bodyBytes;
    this.#events = events;
  }

  read(chunk: Buffer): void {
    if (this.#missing !== -1) {
      this.#take(chunk.length);
      return;
    }
    const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    const end = bytes.indexOf(headEnd);
    if (end === -1) {
      this.#head = bytes;
      return;
    }
    this.#head = undefined;
    if (bytes.compare(okay, 0, okay.length, 0, okay.length) !== 0 || !this.#hasLength(bytes, end)) {
      this.#events.onError(new Error(`an answer of ${bytes.toString("latin1", 0, end)}`));
      return;
    }
    this.#missing = this.#bodyBytes;
    this.#take(bytes.length - end - headEnd.length);
  }

  /** Looked at once: a proxy that counts differently would never be found ready with an answer. */
  #hasLength(bytes: Buffer, end: number): boolean {
    if (this.#checked) return true;
    this.#checked = true;
    return bytes.toString("latin1", 0, end).toLowerCase().includes(`content-length: ${this.#bodyBytes}`);
  }

  #take(count: number): void {
    this.#missing -= count;
    if (this.#missing > 0) return;
    if (this.#missing < 0) {
      this.#events.onError(new Error("more bytes than the answer has"));
      return;
    }
    this.#missing = -1;
    this.#events.onAnswer(this.client!, this.startedMs);
  }
}
