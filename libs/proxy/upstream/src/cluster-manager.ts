import { localStats, type StatStore, totalOf } from "@fairlead/stat-cells";
import type { AssignmentPolicy } from "./assignment-policy.ts";
import { Cluster, type ClusterContext } from "./cluster.ts";
import type { ClusterConfig, HostSpec } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";

/** The clusters that requests may go to, by name. */
export class ClusterManager {
  readonly #context: ClusterContext;
  readonly #store: StatStore;
  readonly #clusters = new Map<string, Cluster>();
  /** A new version whose hosts are being checked for the first time. */
  readonly #checking = new Map<string, Cluster>();
  readonly #stats = new Map<string, ClusterStats>();

  constructor(context: ClusterContext & { readonly stats?: StatStore }) {
    this.#context = { ...context, clusterOf: (name) => this.#clusters.get(name) };
    this.#store = context.stats ?? localStats;
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

  /** Adds or replaces. The one before serves what it has, and all requests until the new one has checked its hosts for the first time. */
  set(config: ClusterConfig, hosts: readonly HostSpec[], policy?: AssignmentPolicy): void {
    const { name } = config;
    const stats = this.#stats.get(name) ?? this.#store.create(`cluster.${name}`, ClusterStats);
    this.#stats.set(name, stats);
    const cluster = new Cluster(config, stats, this.#context);
    cluster.setHosts(hosts, policy);
    this.#giveUpChecking(name);
    if (cluster.checked || !this.#clusters.has(name)) {
      this.#use(cluster);
      return;
    }
    this.#checking.set(name, cluster);
    cluster.onChecked(() => {
      if (this.#checking.get(name) !== cluster) return;
      this.#checking.delete(name);
      this.#use(cluster);
    });
  }

  /** The whole assignment of a cluster that is there. */
  setHosts(name: string, hosts: readonly HostSpec[], policy?: AssignmentPolicy): void {
    this.#clusters.get(name)?.setHosts(hosts, policy);
    this.#checking.get(name)?.setHosts(hosts, policy);
  }

  remove(name: string): void {
    const cluster = this.#clusters.get(name);
    this.#clusters.delete(name);
    cluster?.drain();
    this.#giveUpChecking(name);
    for (const [key, stats] of this.#stats) {
      if (this.#clusters.has(key) || totalOf(stats).upstream_rq_active > 0) continue;
      this.#stats.delete(key);
      this.#store.forget(`cluster.${key}`);
    }
  }

  destroy(): void {
    const clusters = [...this.#clusters.values(), ...this.#checking.values()];
    this.#checking.clear();
    for (const cluster of clusters) cluster.destroy();
  }

  /** Nobody is to use it when its end ends the wait for its first round. */
  #giveUpChecking(name: string): void {
    const cluster = this.#checking.get(name);
    this.#checking.delete(name);
    cluster?.drain();
  }

  #use(cluster: Cluster): void {
    const before = this.#clusters.get(cluster.config.name);
    this.#clusters.set(cluster.config.name, cluster);
    before?.drain();
  }
}
