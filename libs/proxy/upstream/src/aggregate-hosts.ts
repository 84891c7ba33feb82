import type { Cluster } from "./cluster.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { HostChoice } from "./host-choice.ts";
import type { HostSet } from "./host-set.ts";
import type { Host } from "./host.ts";
import { type PriorityLoad, priorityLoads } from "./priority-load.ts";

export interface AggregateContext {
  /** The cluster of that name as it is now. */
  readonly clusterOf: (name: string) => Cluster | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * The hosts of other clusters, as if the priorities of the second came behind those of the first (Envoy's aggregate cluster): what
 * the first cannot take goes to the next.
 */
export class AggregateHosts {
  readonly #names: readonly string[];
  readonly #config: ClusterConfig;
  readonly #context: AggregateContext;
  #seen: readonly HostSet[] = [];
  #clusterOfLevel: readonly Cluster[] = [];
  #load: PriorityLoad = { healthy: [], degraded: [], panic: [] };
  /** Clusters that aggregate each other have no host. */
  #picking = false;

  constructor(names: readonly string[], config: ClusterConfig, context: AggregateContext) {
    this.#names = names;
    this.#config = config;
    this.#context = context;
  }

  pick(choice: HostChoice | undefined): Host | undefined {
    if (this.#picking) return undefined;
    this.#picking = true;
    try {
      return this.#clusterFor(choice)?.pickHost(choice);
    } finally {
      this.#picking = false;
    }
  }

  #clusterFor(choice: HostChoice | undefined): Cluster | undefined {
    const clusters = this.#names.flatMap((name) => this.#context.clusterOf(name) ?? []);
    const sets = clusters.map(({ hosts }) => hosts);
    if (sets.length !== this.#seen.length || sets.some((set, i) => set !== this.#seen[i])) {
      this.#seen = sets;
      this.#clusterOfLevel = clusters.flatMap((cluster) => cluster.hosts.health.map(() => cluster));
      const levels = sets.flatMap(({ health }) => health);
      this.#load = priorityLoads(levels, this.#config.overprovisioningPercent, this.#config.healthyPanicPercent);
    }
    // By the hash where there is one: the same key must find the same cluster.
    let point = choice?.hash === undefined ? this.#context.random() * 100 : Number(choice.hash % 100n);
    for (const shares of [this.#load.healthy, this.#load.degraded]) {
      for (const [level, share] of shares.entries()) {
        point -= share;
        if (point < 0) return this.#clusterOfLevel[level];
      }
    }
    return undefined;
  }
}
