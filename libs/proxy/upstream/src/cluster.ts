import type { DeadlineSweep } from "@fairlead/proxy-stream";
import type { ClusterConfig, HostSpec } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { createHostSet, type HostEntry, type HostSet } from "./host-set.ts";
import { Host, hostKey } from "./host.ts";

export interface ClusterContext {
  readonly sweep: DeadlineSweep;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One version of a cluster: its configuration, and hosts that come and go. */
export class Cluster {
  readonly config: ClusterConfig;
  readonly stats: ClusterStats;
  readonly #context: ClusterContext;
  #hosts: HostSet;
  #closed = false;

  constructor(config: ClusterConfig, stats: ClusterStats, context: ClusterContext) {
    this.config = config;
    this.stats = stats;
    this.#context = context;
    this.#hosts = createHostSet([], config, context.random);
  }

  get hosts(): HostSet {
    return this.#hosts;
  }

  /** The whole assignment. A host that stays keeps its connections; one that has left serves what it has and is not chosen again. */
  setHosts(specs: readonly HostSpec[]): void {
    const before = new Map(this.#hosts.entries.map((entry) => [entry.host.key, entry.host]));
    const after = new Map<string, HostEntry>();
    for (const spec of specs) {
      const key = hostKey(spec.address, spec.port);
      const host = before.get(key) ?? after.get(key)?.host ?? this.#createHost(spec.address, spec.port);
      after.set(key, { host, weight: spec.weight, health: spec.health });
    }
    this.#hosts = createHostSet([...after.values()], this.config, this.#context.random);
    this.stats.membership_total = after.size;
    this.stats.membership_healthy = this.#hosts.healthy;
    for (const [key, host] of before) if (!after.has(key)) host.pool.drain();
  }

  /**
   * @param avoid hosts that failed this request already; looked for another one up to `attempts` times more
   * @returns undefined when there is none to choose; a host to avoid when no other was found
   */
  pickHost(avoid?: ReadonlySet<Host>, attempts = 0): Host | undefined {
    const { balancer, panic } = this.#hosts;
    if (panic) this.stats.lb_healthy_panic++;
    let host = balancer.pick();
    for (let i = 0; i < attempts && host !== undefined && avoid?.has(host) === true; i++) host = balancer.pick();
    if (host === undefined) this.stats.upstream_cx_none_healthy++;
    return host;
  }

  /** Replaced or removed: as if all hosts had left. Requests under way end as they would have. */
  drain(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { host } of this.#hosts.entries) host.pool.drain();
  }

  destroy(): void {
    for (const { host } of this.#hosts.entries) host.pool.destroy();
  }

  #createHost(address: string, port: number): Host {
    return new Host(address, port, new ConnectionPool(address, port, this.config, this.stats, this.#context.sweep));
  }
}
