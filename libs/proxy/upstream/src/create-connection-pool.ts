import type { TimerWheel } from "@fairlead/timer-wheel";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { ALPN_PROTOCOL, ConnectionPoolByAlpn } from "./connection-pool-by-alpn.ts";
import { CLIENT_PROTOCOL, ConnectionPoolByClient } from "./connection-pool-by-client.ts";
import { ConnectionPoolByName } from "./connection-pool-by-name.ts";
import { ConnectionPool } from "./connection-pool.ts";

/** The pool that a cluster's hosts have. */
export function createConnectionPool(
  address: string,
  port: number,
  config: ClusterConfig,
  stats: ClusterStats,
  wheel: TimerWheel,
): ConnectionPool {
  if (config.tls?.auto !== undefined) {
    const create = (named: ClusterConfig): ConnectionPool => createConnectionPool(address, port, named, stats, wheel);
    return new ConnectionPoolByName(address, port, config, stats, wheel, create);
  }
  if (config.protocol === ALPN_PROTOCOL) return new ConnectionPoolByAlpn(address, port, config, stats, wheel);
  const kind = config.protocol === CLIENT_PROTOCOL ? ConnectionPoolByClient : ConnectionPool;
  return new kind(address, port, config, stats, wheel);
}
