import type { Socket } from "node:net";
import { StreamInfo } from "@fairlead/proxy-filter";
import { connectionIdOf, connectionInfoOf } from "@fairlead/proxy-stream";
import type { AccessLogger } from "../access-log/access-log.ts";

/** What a listener's own access log says of one connection, written when the connection has ended, whatever served it. */
export class ConnectionLog {
  readonly #write: AccessLogger;
  readonly #now: () => number;
  readonly #startMs: number;
  #socket: Socket;
  #info: StreamInfo;
  #over = false;

  /** @param now monotonic, in milliseconds */
  constructor(socket: Socket, write: AccessLogger, now: () => number) {
    this.#write = write;
    this.#now = now;
    this.#startMs = now();
    this.#socket = socket;
    connectionIdOf(socket);
    this.#info = this.#infoOf(socket);
    socket.once("close", () => this.#end());
  }

  get info(): StreamInfo {
    return this.#info;
  }

  /** More is known of it: another address, or what TLS has agreed on. */
  knownBy(socket: Socket): void {
    const { filterChain } = this.#info;
    this.#socket = socket;
    this.#info = this.#infoOf(socket);
    this.#info.filterChain = filterChain;
  }

  noChain(): void {
    this.#info.flag("NR");
    this.#info.details = "filter_chain_not_found";
  }

  /** It is another listener's. */
  handOver(): void {
    this.#over = true;
  }

  #infoOf(socket: Socket): StreamInfo {
    const info = new StreamInfo(this.#startMs, connectionInfoOf(socket));
    // That of a connection.
    info.protocol = "";
    return info;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    const info = this.#info;
    info.endMs = this.#now();
    info.bytesReceived = this.#socket.bytesRead;
    info.bytesSent = this.#socket.bytesWritten;
    this.#write(info);
  }
}
