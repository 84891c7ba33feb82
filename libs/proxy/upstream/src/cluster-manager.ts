import { Cluster, type ClusterContext } from "./cluster.ts";
import type { ClusterConfig, HostSpec } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";

/** The clusters that requests may go to, by name. */
export class ClusterManager {
  readonly #context: ClusterContext;
  readonly #clusters = new Map<string, Cluster>();
  readonly #stats = new Map<string, ClusterStats>();

  constructor(context: ClusterContext) {
    this.#context = context;
  }

  get(name: string): Cluster | undefined {
    return this.#clusters.get(name);
  }

  all(): Iterable<Cluster> {
    return this.#clusters.values();
  }

  /** Kept while the cluster exists or has requests under way. */
  statsOf(name: string): ClusterStats | undefined {
    return this.#stats.get(name);
  }

  /** Adds or replaces; the one before serves what it has, and while the new one checks its hosts for the first time. */
  set(config: ClusterConfig, hosts: readonly HostSpec[], overprovisioningPercent?: number): void {
    const before = this.#clusters.get(config.name);
    const stats = this.#stats.get(config.name) ?? new ClusterStats();
    this.#stats.set(config.name, stats);
    const cluster = new Cluster(config, stats, this.#context);
    cluster.setHosts(hosts, overprovisioningPercent);
    this.#clusters.set(config.name, cluster);
    before?.drain();
  }

  remove(name: string): void {
    this.#clusters.get(name)?.drain();
    this.#clusters.delete(name);
    for (const [key, stats] of this.#stats) {
      if (!this.#clusters.has(key) && stats.upstream_rq_active === 0) this.#stats.delete(key);
    }
  }

  destroy(): void {
    for (const cluster of this.#clusters.values()) cluster.destroy();
  }
}
