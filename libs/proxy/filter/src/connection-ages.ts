import type { ServerConnection } from "@fairlead/proxy-stream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import type { HttpStats } from "./http-stats.ts";

/** How many requests connections have had and how old they are, where the listener limits that: clients that come again find other proxies. */
export class ConnectionAges {
  readonly #stats: HttpStats;
  readonly #requests = new WeakMap<ServerConnection, number>();
  readonly #timers = new Map<ServerConnection, NodeJS.Timeout>();

  constructor(stats: HttpStats) {
    this.#stats = stats;
  }

  /** Of the request that begins. */
  countRequest(connection: ServerConnection, most: number): void {
    const count = (this.#requests.get(connection) ?? 0) + 1;
    this.#requests.set(connection, count);
    if (count !== most) return;
    this.#stats.downstream_cx_max_requests_reached++;
    connection.drain();
  }

  /** From now on. */
  limit(
    connection: ServerConnection,
    {
      maxConnectionDurationMs,
      drainTimeoutMs,
    }: Pick<ConnectionManagerConfig, "maxConnectionDurationMs" | "drainTimeoutMs">,
  ): void {
    this.#wait(connection, maxConnectionDurationMs, () => {
      this.#stats.downstream_cx_max_duration_reached++;
      connection.drain();
      // One that is idle is told nothing by that: it may still send a request, but not for ever.
      this.#wait(connection, drainTimeoutMs, () => {
        if (connection.activeStreams === 0) connection.destroy();
      });
    });
  }

  forget(connection: ServerConnection): void {
    if (this.#timers.size === 0) return;
    clearTimeout(this.#timers.get(connection));
    this.#timers.delete(connection);
  }

  #wait(connection: ServerConnection, ms: number, then: () => void): void {
    this.#timers.set(connection, setTimeout(then, ms).unref());
  }
}
