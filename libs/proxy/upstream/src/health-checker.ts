import { totalOf } from "@fairlead/stat-cells";
import type { CheckedAt } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { HealthCheck } from "./health-check-config.ts";
import { HostCheck } from "./host-check.ts";
import type { HostProber } from "./host-prober.ts";
import type { Host } from "./host.ts";

export interface HealthCheckerOptions {
  readonly check: HealthCheck;
  readonly stats: ClusterStats;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly proberOf: (host: Host) => HostProber;
  /** Its check has passed. */
  readonly onHealthy: (host: Host) => void;
  /** The health of a host changed. */
  readonly onChange: () => void;
}

interface Watched {
  readonly check: HostCheck;
  readonly at: CheckedAt | undefined;
}

/** Asks each host of a cluster from time to time whether it can serve; see `HostCheck`. */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #hosts = new Map<Host, Watched>();
  #firstRound: (() => void)[] = [];
  #firstRoundDone = false;
  #counted = { healthy: 0, degraded: 0 };

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
  }

  get firstRoundDone(): boolean {
    return this.#firstRoundDone;
  }

  onFirstRound(listener: () => void): void {
    if (this.#firstRoundDone) listener();
    else this.#firstRound.push(listener);
  }

  setHosts(hosts: Iterable<Host>): void {
    const wanted = new Set([...hosts].filter((host) => host.checkedAt?.disabled !== true));
    for (const [host, { check, at }] of this.#hosts) {
      // Asked at another place it is another one to ask.
      if (wanted.has(host) && isSame(at, host.checkedAt)) continue;
      check.close();
      this.#hosts.delete(host);
    }
    for (const host of wanted) if (!this.#hosts.has(host)) this.#watch(host);
    this.#count();
    this.#checkFirstRound();
  }

  /** Who waits for the first round waits no longer. */
  close(): void {
    for (const { check } of this.#hosts.values()) check.close();
    this.#hosts.clear();
    this.#count();
    this.#checkFirstRound();
  }

  #watch(host: Host): void {
    const { check: config, stats, random, onHealthy, onChange, proberOf } = this.#options;
    const check = new HostCheck(host, proberOf(host), {
      check: config,
      stats: stats.healthCheck,
      random,
      noTraffic: () => totalOf(stats).upstream_rq_total === 0,
      onPass: onHealthy,
      onResult: (changed) => {
        if (changed) {
          this.#count();
          onChange();
        }
        this.#checkFirstRound();
      },
    });
    this.#hosts.set(host, { check, at: host.checkedAt });
    check.begin();
  }

  /** Its share of what is counted: another version of the cluster may check its hosts at the same time. */
  #count(): void {
    const { healthCheck } = this.#options.stats;
    const hosts = [...this.#hosts.keys()];
    const healthy = hosts.filter((host) => !host.failedCheck).length;
    const degraded = hosts.filter((host) => host.degradedByCheck).length;
    healthCheck.healthy += healthy - this.#counted.healthy;
    healthCheck.degraded += degraded - this.#counted.degraded;
    this.#counted = { healthy, degraded };
  }

  #checkFirstRound(): void {
    if (this.#firstRoundDone || this.#hosts.values().some(({ check }) => check.fresh)) return;
    this.#firstRoundDone = true;
    const listeners = this.#firstRound;
    this.#firstRound = [];
    for (const listener of listeners) listener();
  }
}

function isSame(a: CheckedAt | undefined, b: CheckedAt | undefined): boolean {
  return a?.address === b?.address && a?.port === b?.port && a?.hostname === b?.hostname;
}
