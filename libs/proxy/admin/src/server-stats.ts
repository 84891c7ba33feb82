import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";

export type ServerState = "LIVE" | "DRAINING" | "INITIALIZING";

/** Envoy's numbers of `server.state`. */
const stateNumber: Readonly<Record<ServerState, number>> = { LIVE: 0, DRAINING: 1, INITIALIZING: 3 };

/** Envoy's prefixes where it has one; EDS and RDS it counts by cluster and route instead. The runtime does not see all responses. */
const statPrefix: Readonly<Record<string, string>> = {
  cds: "cluster_manager.cds",
  eds: "cluster_manager.eds",
  lds: "listener_manager.lds",
  rds: "http.rds",
};

/** All counters and gauges by name, sorted. */
export function statsOf(
  server: { readonly state: ServerState; readonly uptimeMs: number },
  ads: AdsState,
  runtime: Pick<ProxyRuntime, "stats" | "listeners">,
): Map<string, number> {
  const stats = new Map(runtime.stats());
  const listeners = runtime.listeners();
  const count = (state: string) => listeners.filter((listener) => listener.state === state).length;
  stats.set("listener_manager.total_listeners_active", count("active"));
  stats.set("listener_manager.total_listeners_warming", count("warming"));
  stats.set("listener_manager.total_listeners_draining", count("draining"));
  stats.set("server.state", stateNumber[server.state]);
  stats.set("server.live", server.state === "LIVE" ? 1 : 0);
  stats.set("server.uptime", Math.floor(server.uptimeMs / 1000));
  stats.set("server.memory_allocated", process.memoryUsage.rss());
  stats.set("control_plane.connected_state", ads.connected ? 1 : 0);
  for (const { type, requests, accepted, rejected } of ads.types) {
    const prefix = statPrefix[type] ?? `ads.${type}`;
    stats.set(`${prefix}.update_attempt`, requests);
    stats.set(`${prefix}.update_success`, accepted);
    stats.set(`${prefix}.update_rejected`, rejected);
  }
  return new Map([...stats].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
