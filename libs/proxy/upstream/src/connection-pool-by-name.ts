import type { TimerWheel } from "@fairlead/timer-wheel";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { ConnectionPool, PoolWaiter } from "./connection-pool.ts";
import { KeyedConnectionPool } from "./keyed-connection-pool.ts";

type CreatePool = (config: ClusterConfig) => ConnectionPool;

/** The connections to one host that is told in TLS what each request calls it: a pool for each name (Envoy's auto_sni). */
export class ConnectionPoolByName extends KeyedConnectionPool {
  readonly #create: CreatePool;
  readonly #config: ClusterConfig;

  /** @param create the pool of one name; its configuration has the name */
  constructor(
    address: string,
    port: number,
    config: ClusterConfig,
    stats: ClusterStats,
    wheel: TimerWheel,
    create: CreatePool,
  ) {
    // Its own connections are none: whatever protocol they would speak.
    super(address, port, { ...config, protocol: "http1" }, stats, wheel);
    this.#config = config;
    this.#create = create;
  }

  protected override keyOf(waiter: PoolWaiter): string {
    return waiter.serverName ?? this.#config.tls?.serverName ?? "";
  }

  protected override create(serverName: string): ConnectionPool {
    const { tls } = this.#config;
    return this.#create({
      ...this.#config,
      tls: tls === undefined ? undefined : { ...tls, serverName, auto: undefined },
    });
  }
}
