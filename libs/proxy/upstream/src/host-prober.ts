import type { TimerWheel } from "@fairlead/timer-wheel";
import { defaultCircuitBreakers, type ClusterConfig } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool } from "./connection-pool.ts";
import type { HealthCheck } from "./health-check-config.ts";
import type { Host } from "./host.ts";
import { HttpProbe } from "./http-probe.ts";
import type { Probe, ProbeResult } from "./probe.ts";
import { TcpProbe } from "./tcp-probe.ts";

/** Asks one host, over connections of its own. */
export interface HostProber {
  start(done: (result: ProbeResult) => void): Probe;
  /** The next probe has a connection of its own: what is not answered may have gone into one that is dead. */
  renew(): void;
  close(): void;
}

const alpnOf = { http1: ["http/1.1"], http2: ["h2"] } as const;

/** Requests do not share these connections, and limits of the cluster are not theirs: overload must not look like illness. */
const unlimited = {
  ...defaultCircuitBreakers,
  maxConnections: Number.POSITIVE_INFINITY,
  maxPendingRequests: Number.POSITIVE_INFINITY,
};

/**
 * How the hosts of a cluster are asked.
 *
 * @param stats of the cluster: of its probes only what TLS and HTTP/2 count is added there
 */
export function createProbers(check: HealthCheck, stats: ClusterStats, wheel: TimerWheel): (host: Host) => HostProber {
  const ownStats = Object.assign(new ClusterStats(), { ssl: stats.ssl, http2: stats.http2 });
  const { kind } = check;
  return (host) => {
    const { checkedAt } = host;
    const address = checkedAt?.address ?? host.address;
    const port = checkedAt?.port ?? check.port ?? host.port;
    if (kind.type === "tcp")
      return { start: (done) => new TcpProbe({ address, port }, kind, done), renew() {}, close() {} };
    const config = settingsOf(host.settings, kind.type === "grpc" ? "http2" : kind.codec, check.reuseConnection);
    const pool = new ConnectionPool(address, port, config, ownStats, wheel);
    const named = checkedAt?.hostname;
    return {
      start: (done) =>
        kind.type === "http"
          ? HttpProbe.http(pool, { ...kind, host: named ?? kind.host }, done)
          : HttpProbe.grpc(pool, { ...kind, authority: named ?? kind.authority }, done),
      renew: () => pool.renew(),
      close: () => pool.destroy(),
    };
  };
}

function settingsOf(config: ClusterConfig, protocol: keyof typeof alpnOf, reuse: boolean): ClusterConfig {
  const { tls } = config;
  const offered = tls === undefined || config.protocol === protocol ? tls?.alpn : alpnOf[protocol];
  return {
    ...config,
    protocol,
    tls: tls === undefined ? undefined : { ...tls, alpn: offered ?? [], auto: undefined },
    circuitBreakers: unlimited,
    hostConnections: undefined,
    maxRequestsPerConnection: reuse ? 0 : 1,
    maxConnectionDurationMs: 0,
  };
}
