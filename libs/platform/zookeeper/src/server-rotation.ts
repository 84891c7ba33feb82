import type { ServerAddress } from "./connect-string.ts";

/** The servers in an order of their own for each client, so that clients spread; then round and round. */
export class ServerRotation {
  readonly #servers: ServerAddress[];
  #next = 0;

  constructor(servers: readonly ServerAddress[], random: () => number = Math.random) {
    this.#servers = [...servers];
    for (let i = this.#servers.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [this.#servers[i], this.#servers[other]] = [this.#servers[other]!, this.#servers[i]!];
    }
  }

  next(): ServerAddress {
    const server = this.#servers[this.#next]!;
    this.#next = (this.#next + 1) % this.#servers.length;
    return server;
  }

  /** Whether the next server is the first once more: all were tried. */
  get atStart(): boolean {
    return this.#next === 0;
  }
}
