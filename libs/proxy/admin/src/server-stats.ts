import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import { addHistograms, type HistogramTotals } from "@fairlead/stat-cells";
import { xxHash64 } from "@fairlead/proxy-upstream";
import type { AdsState, AdsTypeState } from "@fairlead/proxy-xds-client";
import { isGauge } from "./stat-kind.ts";

export type ServerState = "LIVE" | "DRAINING" | "INITIALIZING";

/** Envoy's numbers of `server.state`. */
const stateNumber: Readonly<Record<ServerState, number>> = { LIVE: 0, DRAINING: 1, INITIALIZING: 3 };

/** Envoy's prefixes where it has one; EDS it counts by cluster instead. The runtime does not see all responses. */
const statPrefix: Readonly<Record<string, string>> = {
  cds: "cluster_manager.cds",
  eds: "cluster_manager.eds",
  lds: "listener_manager.lds",
};

/** All that a proxy tells of itself in numbers, by name. */
export interface ProxyStats {
  /** Counters and gauges. */
  readonly numbers: ReadonlyMap<string, number>;
  /** What has recorded nothing is not there. */
  readonly histograms: ReadonlyMap<string, HistogramTotals>;
}

/** The place of this process among those that follow each other in hot restarts. */
export interface EpochFacts {
  readonly epoch: number;
  /** Of the first one, in milliseconds since 1970. */
  readonly firstStartMs: number;
  /** What the one before has counted, with those before it, and the connections that it still has. */
  readonly parent: {
    readonly counters: Readonly<Record<string, number>>;
    readonly histograms?: Readonly<Record<string, HistogramTotals>> | undefined;
    readonly connections: number;
  };
}

/** What the next process goes on counting from. */
export function countersOf(stats: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...stats].filter(([name, value]) => value !== 0 && !isGauge(name)));
}

/** Of clients, on all listeners. */
export function openConnections(stats: ReadonlyMap<string, number>): number {
  let open = 0;
  for (const [name, value] of stats) if (name.endsWith(".downstream_cx_active")) open += value;
  return open;
}

/** With those of the processes before, sorted. */
export function histogramsWith(
  own: ReadonlyMap<string, HistogramTotals>,
  parent: EpochFacts["parent"] | undefined,
): Map<string, HistogramTotals> {
  const histograms = new Map(own);
  for (const [name, totals] of Object.entries(parent?.histograms ?? {}))
    histograms.set(name, addHistograms(totals, histograms.get(name)));
  return new Map([...histograms].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** All counters and gauges by name, sorted. */
export function statsOf(
  server: { readonly state: ServerState; readonly uptimeMs: number; readonly epoch?: EpochFacts | undefined },
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
  // Several threads tell how many they are.
  if (!stats.has("server.concurrency")) stats.set("server.concurrency", 1);
  setMemory(stats);
  stats.set("control_plane.connected_state", ads.connected ? 1 : 0);
  for (const type of ads.types) setUpdates(stats, type);
  const { epoch, parent } = server.epoch ?? {};
  for (const [name, value] of Object.entries(parent?.counters ?? {})) stats.set(name, (stats.get(name) ?? 0) + value);
  stats.set("server.hot_restart_epoch", epoch ?? 0);
  stats.set("server.parent_connections", parent?.connections ?? 0);
  return new Map([...stats].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** V8's heap in the place of tcmalloc's: of this thread, but for what is resident. */
function setMemory(stats: Map<string, number>): void {
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  stats.set("server.memory_allocated", heapUsed + external);
  stats.set("server.memory_heap_size", heapTotal);
  stats.set("server.memory_physical_size", rss);
}

const routeAttempt = /^(?:http|rpc)\..+\.rds\..+\.update_attempt$/s;

/** What the stream has counted of a type; a route configuration has counts of its own, and of the stream what it cannot know itself. */
function setUpdates(stats: Map<string, number>, type: AdsTypeState): void {
  const version = versionNumber(type.version);
  if (type.type === "rds") {
    const prefixes = [...stats.keys()].filter((name) => routeAttempt.test(name)).map((name) => name.slice(0, -15));
    for (const prefix of prefixes) {
      stats.set(`${prefix}.update_failure`, type.failures);
      stats.set(`${prefix}.version`, version);
    }
    return;
  }
  const prefix = statPrefix[type.type] ?? `ads.${type.type}`;
  stats.set(`${prefix}.update_attempt`, type.requests);
  stats.set(`${prefix}.update_success`, type.accepted);
  stats.set(`${prefix}.update_rejected`, type.rejected);
  stats.set(`${prefix}.update_failure`, type.failures);
  stats.set(`${prefix}.init_fetch_timeout`, type.initialFetchTimeouts);
  stats.set(`${prefix}.version`, version);
}

/** As Envoy: a hash of what the control plane calls it, so that a change of it, and who has another, can be seen. */
function versionNumber(version: string): number {
  return version === "" ? 0 : Number(xxHash64(version));
}
