import { totalOf } from "@fairlead/stat-cells";
import type { TimerWheel } from "@fairlead/timer-wheel";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { createConnectionPool } from "./create-connection-pool.ts";
import type { HealthCheck } from "./health-check-config.ts";
import type { Host } from "./host.ts";
import { HttpProbe } from "./http-probe.ts";
import type { Probe, ProbeResult } from "./probe.ts";
import { TcpProbe } from "./tcp-probe.ts";

interface Checked {
  readonly pool: ConnectionPool;
  /** For a port of its own. */
  readonly ownPool: boolean;
  timer: NodeJS.Timeout | undefined;
  probe: Probe | undefined;
  /** Before its first result. */
  fresh: boolean;
  successes: number;
  failures: number;
}

export interface HealthCheckerOptions {
  readonly check: HealthCheck;
  readonly cluster: ClusterConfig;
  readonly stats: ClusterStats;
  readonly wheel: TimerWheel;
  readonly random: () => number;
  readonly onHealthy: (host: Host) => void;
  /** The health of a host changed. */
  readonly onChange: () => void;
}

/**
 * Asks each host of a cluster from time to time whether it can serve. A new host is not chosen before it passed; its first result
 * decides alone. Later a bad answer makes it unhealthy at once, and silence after some in a row (as in Envoy).
 */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #hosts = new Map<Host, Checked>();
  #firstRound: (() => void)[] = [];
  #firstRoundDone = false;

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
    const present = new Set(hosts);
    for (const [host, checked] of this.#hosts) if (!present.has(host)) this.#forget(host, checked);
    for (const host of present) if (!this.#hosts.has(host)) this.#watch(host);
    this.#countHealthy();
    this.#checkFirstRound();
  }

  close(): void {
    for (const [host, checked] of this.#hosts) this.#forget(host, checked);
  }

  #watch(host: Host): void {
    const { check, cluster, stats, wheel } = this.#options;
    const ownPool = check.port !== undefined && check.port !== host.port;
    const pool = ownPool ? createConnectionPool(host.address, check.port, cluster, stats, wheel) : host.pool;
    const checked: Checked = {
      pool,
      ownPool,
      timer: undefined,
      probe: undefined,
      fresh: true,
      successes: 0,
      failures: 0,
    };
    host.failedCheck = true;
    this.#hosts.set(host, checked);
    this.#begin(host, checked);
  }

  #forget(host: Host, checked: Checked): void {
    clearTimeout(checked.timer);
    checked.probe?.cancel();
    if (checked.ownPool) checked.pool.destroy();
    this.#hosts.delete(host);
    host.failedCheck = false;
  }

  #begin(host: Host, checked: Checked): void {
    const { check, stats } = this.#options;
    stats.healthCheck.attempt++;
    checked.timer = setTimeout(() => {
      checked.probe?.cancel();
      this.#onResult(host, checked, "network failure");
    }, check.timeoutMs);
    checked.timer.unref();
    const done = (result: ProbeResult): void => this.#onResult(host, checked, result);
    const { kind } = check;
    if (kind.type === "tcp")
      checked.probe = new TcpProbe({ address: host.address, port: check.port ?? host.port }, kind, done);
    else if (kind.type === "http") checked.probe = HttpProbe.http(checked.pool, kind, done);
    else checked.probe = HttpProbe.grpc(checked.pool, kind, done);
  }

  #onResult(host: Host, checked: Checked, result: ProbeResult): void {
    clearTimeout(checked.timer);
    checked.probe = undefined;
    if (this.#hosts.get(host) !== checked) return;
    const { check, stats, random } = this.#options;
    if (result === "pass") stats.healthCheck.success++;
    else stats.healthCheck.failure++;
    if (result === "network failure") stats.healthCheck.network_failure++;
    this.#count(host, checked, result);
    const first = checked.fresh;
    checked.fresh = false;
    const quiet = totalOf(stats).upstream_rq_total === 0 && !host.failedCheck;
    const waitMs = quiet ? check.noTrafficIntervalMs : host.failedCheck ? check.unhealthyIntervalMs : check.intervalMs;
    checked.timer = setTimeout(() => this.#begin(host, checked), waitMs + random() * check.jitterMs);
    checked.timer.unref();
    if (first) this.#checkFirstRound();
  }

  #count(host: Host, checked: Checked, result: ProbeResult): void {
    const { check, onHealthy, onChange } = this.#options;
    const failedBefore = host.failedCheck;
    if (result === "pass") {
      checked.failures = 0;
      checked.successes++;
      if (host.failedCheck && (checked.fresh || checked.successes >= check.healthyThreshold)) host.failedCheck = false;
      if (!host.failedCheck) onHealthy(host);
    } else {
      checked.successes = 0;
      checked.failures++;
      if (result === "bad answer" || checked.failures >= check.unhealthyThreshold) host.failedCheck = true;
    }
    if (failedBefore === host.failedCheck) return;
    this.#countHealthy();
    onChange();
  }

  #countHealthy(): void {
    this.#options.stats.healthCheck.healthy = [...this.#hosts.keys()].filter((host) => !host.failedCheck).length;
  }

  #checkFirstRound(): void {
    if (this.#firstRoundDone || [...this.#hosts.values()].some((checked) => checked.fresh)) return;
    this.#firstRoundDone = true;
    const listeners = this.#firstRound;
    this.#firstRound = [];
    for (const listener of listeners) listener();
  }
}
