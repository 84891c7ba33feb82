import { type Balancer, createBalancer, type WeightedHost } from "./balancer.ts";
import type { ClusterConfig, HostHealth } from "./cluster-config.ts";
import type { Host } from "./host.ts";

/** One host of a snapshot. */
export interface HostEntry extends WeightedHost {
  readonly host: Host;
  readonly weight: number;
  readonly health: HostHealth;
}

/** The hosts of a cluster at one moment, and who chooses among them. Immutable; a request keeps the hosts it chose. */
export interface HostSet {
  readonly entries: readonly HostEntry[];
  readonly balancer: Balancer;
  /** Too few hosts are healthy: `balancer` takes any that is not draining. */
  readonly panic: boolean;
  readonly healthy: number;
}

export function createHostSet(entries: readonly HostEntry[], config: ClusterConfig, random: () => number): HostSet {
  const candidates = entries.filter((entry) => entry.health !== "draining");
  const healthy = candidates.filter((entry) => entry.health === "healthy");
  const degraded = candidates.filter((entry) => entry.health === "degraded");
  const usable = healthy.length > 0 ? healthy : degraded;
  const share = candidates.length === 0 ? 100 : ((healthy.length + degraded.length) * 100) / candidates.length;
  const panic = share < config.healthyPanicPercent;
  const options = { name: config.balancer, choiceCount: config.choiceCount, random };
  return {
    entries,
    balancer: createBalancer(panic ? candidates : usable, options),
    panic,
    healthy: healthy.length,
  };
}
