import { type Cluster, healthOf, type HostHealth } from "@fairlead/proxy-upstream";
import { numbersOf } from "@fairlead/stat-cells";

export interface HostStatus {
  /** `address:port` */
  readonly address: string;
  readonly hostname: string;
  readonly priority: number;
  /** `region/zone/sub_zone` */
  readonly locality: string;
  readonly weight: number;
  readonly health: HostHealth;
  readonly ejected: boolean;
  readonly failedCheck: boolean;
  /** What else is known of it. @default nothing */
  readonly degradedByCheck?: boolean;
  readonly excluded?: boolean;
  /** Not assigned any more, but its health check still passes. */
  readonly pendingRemoval?: boolean;
  readonly activeRequests: number;
  readonly totalRequests: number;
  readonly connections: number;
  readonly idleConnections: number;
}

export interface ClusterStatus {
  readonly name: string;
  /** What statistics call it. */
  readonly statName: string;
  readonly hosts: readonly HostStatus[];
  /** By the names of `cluster.<name>.…`. */
  readonly stats: Readonly<Record<string, number>>;
}

/** What this thread has with one host now. */
export interface HostCounts {
  readonly cluster: string;
  /** `address:port` */
  readonly host: string;
  readonly activeRequests: number;
  readonly totalRequests: number;
  readonly connections: number;
  readonly idleConnections: number;
}

/** Of the hosts that were ever used. */
export function hostCountsOf({ config, hosts }: Cluster): HostCounts[] {
  return hosts.entries
    .filter(({ host }) => host.totalRequests > 0)
    .map(({ host }) => ({
      cluster: config.name,
      host: host.key,
      activeRequests: host.activeRequests,
      totalRequests: host.totalRequests,
      connections: host.connections,
      idleConnections: host.idleConnections,
    }));
}

export function clusterStatus({ config, hosts, stats }: Cluster): ClusterStatus {
  return {
    name: config.name,
    statName: config.statName ?? config.name,
    hosts: hosts.entries.map((entry) => ({
      address: entry.host.key,
      hostname: entry.host.hostname,
      priority: entry.host.priority,
      locality: entry.locality,
      weight: entry.weight,
      health: healthOf(entry),
      ejected: entry.host.ejected,
      failedCheck: entry.host.failedCheck,
      degradedByCheck: entry.host.degradedByCheck,
      excluded: entry.host.excluded,
      pendingRemoval: entry.unassigned === true,
      activeRequests: entry.host.activeRequests,
      totalRequests: entry.host.totalRequests,
      connections: entry.host.connections,
      idleConnections: entry.host.idleConnections,
    })),
    stats: Object.fromEntries(numbersOf(stats)),
  };
}
