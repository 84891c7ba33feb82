import type { TimerWheel } from "@fairlead/timer-wheel";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
import { KeyedConnectionPool } from "./keyed-connection-pool.ts";

/** What `ClusterConfig.protocol` says when hosts are spoken to as the client speaks to us (Envoy's use_downstream_protocol_config). */
export const CLIENT_PROTOCOL = "client";

/** For who does not say what its client speaks: probes. */
const PLAINEST = "http1";

/** The connections to one host of a cluster that is spoken to as its clients speak: a pool for each protocol that was asked for. */
export class ConnectionPoolByClient extends KeyedConnectionPool {
  readonly #create: (protocol: string) => ConnectionPool;

  constructor(address: string, port: number, config: ClusterConfig, stats: ClusterStats, wheel: TimerWheel) {
    super(address, port, { ...config, protocol: PLAINEST }, stats, wheel);
    this.#create = (protocol) => new ConnectionPool(address, port, { ...config, protocol }, stats, wheel);
  }

  protected override keyOf(waiter: PoolWaiter): string {
    return waiter.clientProtocol ?? PLAINEST;
  }

  protected override create(protocol: string): ConnectionPool {
    return this.#create(protocol);
  }
}
