import { setTimeout as pause } from "node:timers/promises";
import { Http1Client } from "./http1-client.ts";
import { Http2Client } from "./http2-client.ts";
import type { LoadClient, LoadTarget } from "./load-client.ts";

export interface SteadyLoadOptions extends LoadTarget {
  /** HTTP/1.1 clients that keep their connections. @default 4 */
  readonly keepAlive?: number;
  /** HTTP/1.1 clients that connect anew for each request. @default 2 */
  readonly newConnections?: number;
  /** HTTP/2 clients. @default 2 */
  readonly http2?: number;
  /** Between an answer and the next request of the same client, in milliseconds: the load. @default 5 */
  readonly pauseMs?: number;
}

type Kind = "keep-alive" | "new connection" | "http2";

/** Clients that go on until they are told to stop, and remember what failed. */
export class SteadyLoad implements AsyncDisposable {
  /** `kind: error`, in the order in which they happened. */
  readonly failures: string[] = [];
  /** As in the options; from now on when it is set. */
  pauseMs: number;
  readonly done: Record<Kind, number> = { "keep-alive": 0, "new connection": 0, http2: 0 };
  readonly #clients: Promise<void>[];
  readonly #waiters = new Set<() => void>();
  #stopped = false;

  constructor(options: SteadyLoadOptions) {
    const { keepAlive = 4, newConnections = 2, http2 = 2, pauseMs = 5 } = options;
    this.pauseMs = pauseMs;
    const clients = (count: number, kind: Kind, make: () => LoadClient) =>
      Array.from({ length: count }, () => this.#run(make(), kind));
    this.#clients = [
      ...clients(keepAlive, "keep-alive", () => new Http1Client(options, true)),
      ...clients(newConnections, "new connection", () => new Http1Client(options, false)),
      ...clients(http2, "http2", () => new Http2Client(options)),
    ];
  }

  get total(): number {
    return Object.values(this.done).reduce((sum, count) => sum + count, 0);
  }

  /** Resolves after so many more requests, answered or failed. */
  async progress(requests: number): Promise<void> {
    const target = this.total + requests;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.total < target && !this.#stopped) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Resolves when each client has its last answer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(client: LoadClient, kind: Kind): Promise<void> {
    while (!this.#stopped) {
      try {
        await client.request();
      } catch (error) {
        this.failures.push(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.done[kind]++;
      for (const check of this.#waiters) check();
      if (this.pauseMs > 0) await pause(this.pauseMs);
    }
    client.close();
  }
}
