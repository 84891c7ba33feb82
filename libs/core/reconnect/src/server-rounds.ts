import timers from "node:timers/promises";
import { BackOff, type BackOffOptions } from "./back-off.ts";

export interface ServerRoundsOptions {
  /** Waits between rounds in which no server was found; half of each is certain, as a server that ends each connection is not to be asked all the time. */
  readonly backOff?: Omit<BackOffOptions, "leastShare">;
  /** In milliseconds: what held a server for less lost it for something that will end the next connection, too. @default 2000 */
  readonly steadyMs?: number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** In milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** Equal servers, of which a client needs one. Each client has an order of its own, so that clients spread; it goes round and round. */
export class ServerRounds<Server> {
  readonly #servers: Server[];
  readonly #backOff: BackOff;
  readonly #steadyMs: number;
  readonly #now: () => number;
  #next = 0;
  #takenAt: number | undefined;

  constructor(
    servers: readonly Server[],
    { backOff, steadyMs = 2_000, random = Math.random, now = () => performance.now() }: ServerRoundsOptions = {},
  ) {
    this.#servers = [...servers];
    this.#backOff = new BackOff({ ...backOff, leastShare: 0.5 });
    this.#steadyMs = steadyMs;
    this.#now = now;
    for (let i = this.#servers.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [this.#servers[i], this.#servers[other]] = [this.#servers[other]!, this.#servers[i]!];
    }
  }

  /** Tries one server after the other until one is taken, or nobody wants one any more. Call it as soon as the one before is lost. */
  async take(tryServer: (server: Server) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const steady = this.#takenAt === undefined || this.#now() - this.#takenAt >= this.#steadyMs;
    if (steady) this.#backOff.reset();
    else await this.#pause(signal);
    while (!signal.aborted) {
      const server = this.#servers[this.#next]!;
      this.#next = (this.#next + 1) % this.#servers.length;
      if (await tryServer(server)) {
        this.#takenAt = this.#now();
        return;
      }
      if (this.#next === 0) await this.#pause(signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await timers.setTimeout(this.#backOff.nextMs(), undefined, { signal }).catch(() => undefined);
  }
}
