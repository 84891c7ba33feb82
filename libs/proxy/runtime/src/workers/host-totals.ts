import type { ClusterStatus, HostCounts, HostStatus } from "../cluster/cluster-status.ts";

/** What workers have with each host, as they have told last. */
export class HostTotals {
  readonly #ofThread = new Map<number, Map<string, HostCounts>>();

  take(thread: number, hosts: readonly HostCounts[]): void {
    const known = this.#ofThread.get(thread) ?? new Map<string, HostCounts>();
    this.#ofThread.set(thread, known);
    for (const counts of hosts) known.set(keyOf(counts.cluster, counts.host), counts);
  }

  forget(thread: number): void {
    this.#ofThread.delete(thread);
  }

  /** @param clusters as the control thread has them; hosts that have gone are forgotten */
  complete(clusters: readonly ClusterStatus[]): readonly ClusterStatus[] {
    const present = new Set(clusters.flatMap(({ name, hosts }) => hosts.map(({ address }) => keyOf(name, address))));
    for (const known of this.#ofThread.values())
      for (const key of known.keys()) if (!present.has(key)) known.delete(key);
    return clusters.map((cluster) => ({
      ...cluster,
      hosts: cluster.hosts.map((host) => this.#completed(host, keyOf(cluster.name, host.address))),
    }));
  }

  #completed(host: HostStatus, key: string): HostStatus {
    const all = [...this.#ofThread.values()].flatMap((known) => known.get(key) ?? []);
    const sum = (of: (counts: HostCounts) => number): number => all.reduce((total, counts) => total + of(counts), 0);
    return {
      ...host,
      activeRequests: sum((counts) => counts.activeRequests),
      totalRequests: sum((counts) => counts.totalRequests),
      connections: host.connections + sum((counts) => counts.connections),
      idleConnections: host.idleConnections + sum((counts) => counts.idleConnections),
    };
  }
}

function keyOf(cluster: string, host: string): string {
  return `${cluster} ${host}`;
}
