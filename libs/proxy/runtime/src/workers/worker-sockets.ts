import { closeSync } from "node:fs";
import type { HandedSocket, SocketRequest, SocketSource } from "../listener/socket-source.ts";
import { anyPortKey } from "./address-checks.ts";

/** A bound socket on its way to the thread that listens on it. */
export interface HandedFd {
  readonly port: number;
  /** Of the process. Who listens on it closes it, and nobody else. */
  readonly fd: number;
  /** Accepts only when the control thread says so. */
  readonly gated: boolean;
}

/** Thread → key → socket. */
export type HandedFds = ReadonlyMap<number, ReadonlyMap<string, HandedFd>>;

/** The control thread's side: takes a socket for each worker from who holds them, and passes their numbers on. */
export class SocketsForWorkers implements SocketSource {
  /** Ports are told with the sockets. */
  readonly ports: ReadonlyMap<string, number> = new Map();
  readonly #source: SocketSource;
  readonly #workers: number;
  readonly #onAccept: () => void;
  readonly #taken = new Map<string, { readonly request: SocketRequest; readonly port: number }>();
  readonly #untold = new Map<number, Map<string, HandedFd>>();
  #gate: Promise<void> | undefined;

  /** @param onAccept sockets that were gated may accept from now on */
  constructor(source: SocketSource, workers: number, onAccept: () => void) {
    this.#source = source;
    this.#workers = workers;
    this.#onAccept = onAccept;
  }

  async take(request: SocketRequest): Promise<HandedSocket> {
    const key = anyPortKey(request);
    const known = this.#taken.get(key);
    let port = known?.port ?? 0;
    if (known === undefined) {
      for (let thread = 1; thread <= this.#workers; thread++) {
        // All workers take the port that the first one was given.
        ({ port } = await this.#takeFor(thread, { ...request, port: request.port === 0 ? port : request.port }, key));
      }
      this.#taken.set(key, { request, port });
    }
    return { port, handle: {}, mayAccept: new Promise(() => undefined) };
  }

  release(request: SocketRequest): void {
    const key = anyPortKey(request);
    if (!this.#taken.delete(key)) return;
    for (const [, untold] of this.#untold) {
      const socket = untold.get(key);
      untold.delete(key);
      if (socket !== undefined) closeSync(socket.fd);
    }
    this.#source.release({ ...request, workers: this.#workers });
  }

  /** A worker is started again: those that it had were closed with it. */
  async renew(thread: number): Promise<void> {
    for (const [key, { request, port }] of this.#taken) await this.#takeFor(thread, { ...request, port }, key);
  }

  /** What workers were not told of yet, but for those that are not told now. */
  takeNew(isTold: (thread: number) => boolean): HandedFds {
    const fds = new Map([...this.#untold].filter(([thread]) => isTold(thread)));
    for (const thread of fds.keys()) this.#untold.delete(thread);
    return fds;
  }

  async #takeFor(thread: number, request: SocketRequest, key: string): Promise<HandedFd> {
    const handed = await this.#source.take({ ...request, worker: thread - 1, workers: this.#workers });
    if (handed.mayAccept !== undefined && handed.mayAccept !== this.#gate) {
      this.#gate = handed.mayAccept;
      void handed.mayAccept.then(this.#onAccept);
    }
    // The handle itself is let go, open: a second one that closes the same number would close a stranger's socket some day.
    const { fd } = handed.handle as { readonly fd: number };
    const socket: HandedFd = { port: handed.port, fd, gated: handed.mayAccept !== undefined };
    const untold = this.#untold.get(thread) ?? new Map<string, HandedFd>();
    const unused = untold.get(key);
    if (unused !== undefined) closeSync(unused.fd);
    this.#untold.set(thread, untold.set(key, socket));
    return socket;
  }
}

/** A worker's side. */
export class SocketsOfControl implements SocketSource {
  readonly #fds = new Map<string, HandedFd>();
  readonly #mayAccept = Promise.withResolvers<void>();

  /** Before the configuration that wants them. */
  add(fds: ReadonlyMap<string, HandedFd>): void {
    for (const [key, socket] of fds) this.#fds.set(key, socket);
  }

  accept(): void {
    this.#mayAccept.resolve();
  }

  async take(request: SocketRequest): Promise<HandedSocket> {
    const key = anyPortKey(request);
    const socket = this.#fds.get(key);
    if (socket === undefined) {
      const message = `no socket was handed over for ${request.address}:${request.port}`;
      throw Object.assign(new Error(message), { code: "EADDRNOTAVAIL" });
    }
    const { port, fd, gated } = socket;
    const use = () => this.#fds.delete(key);
    return {
      port,
      // Who reads it listens on it.
      get handle() {
        use();
        return { fd };
      },
      ...(gated ? { mayAccept: this.#mayAccept.promise } : {}),
    };
  }

  release(request: SocketRequest): void {
    const key = anyPortKey(request);
    const unused = this.#fds.get(key);
    this.#fds.delete(key);
    if (unused !== undefined) closeSync(unused.fd);
  }
}
