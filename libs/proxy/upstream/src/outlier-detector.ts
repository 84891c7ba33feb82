import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";
import type { OutlierStats } from "./cluster-stats.ts";
import type { Host } from "./host.ts";
import type { OutlierDetection } from "./outlier-config.ts";
import { OutlierMonitor } from "./outlier-monitor.ts";

type EjectionKind = "consecutive_5xx" | "consecutive_gateway_failure" | "consecutive_local_origin_failure" | "success_rate" | "failure_percentage"; // prettier-ignore

interface Watched {
  readonly monitor: OutlierMonitor;
  /** How often it has been out lately. */
  times: number;
  untilMs: number;
}

export interface OutlierDetectorOptions {
  readonly config: OutlierDetection;
  readonly stats: OutlierStats;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly random: () => number;
  /** A host has been put out, or let in again. */
  readonly onChange: () => void;
}

/** Puts hosts that answer badly out for a while. */
export class OutlierDetector implements Expiring {
  readonly #deadline: WheelTimer;
  readonly #options: OutlierDetectorOptions;
  readonly #hosts = new Map<Host, Watched>();
  #active = 0;

  constructor(options: OutlierDetectorOptions) {
    this.#options = options;
    this.#deadline = options.wheel.timer(this);
    this.#deadline.deadlineMs = options.now() + options.config.intervalMs;
  }

  /** The hosts as they are now. */
  setHosts(hosts: Iterable<Host>): void {
    const present = new Set(hosts);
    for (const host of this.#hosts.keys()) if (!present.has(host)) this.#forget(host);
    for (const host of present) if (!this.#hosts.has(host)) this.#watch(host);
  }

  close(): void {
    this.#deadline.cancel();
    for (const host of this.#hosts.keys()) this.#forget(host);
  }

  /** An active health check passed: it knows better. */
  unejectByCheck(host: Host): void {
    const { config, onChange } = this.#options;
    if (!host.ejected || !config.unejectsByCheck) return;
    this.#uneject(host);
    onChange();
  }

  onDeadline(): void {
    const { config, now, onChange } = this.#options;
    const at = now();
    this.#deadline.deadlineMs = at + config.intervalMs;
    let changed = false;
    for (const [host, watched] of this.#hosts) {
      if (host.ejected && watched.untilMs <= at) {
        this.#uneject(host);
        changed = true;
      } else if (!host.ejected && watched.times > 0) watched.times--;
    }
    this.#lookAtRates();
    for (const { monitor } of this.#hosts.values()) monitor.beginInterval();
    if (changed) onChange();
  }

  #watch(host: Host): void {
    const monitor = new OutlierMonitor(this.#options.config, (reason, threshold) =>
      this.#detect(host, reason, threshold.enforcingPercent),
    );
    host.monitor = monitor;
    this.#hosts.set(host, { monitor, times: 0, untilMs: 0 });
  }

  #forget(host: Host): void {
    this.#hosts.delete(host);
    host.monitor = undefined;
    if (host.ejected) this.#active--;
    host.ejected = false;
    this.#options.stats.ejections_active = this.#active;
  }

  #lookAtRates(): void {
    const { successRate, failurePercentage } = this.#options.config;
    const rated = (minRequests: number): (readonly [Host, number])[] =>
      [...this.#hosts]
        .filter(([host, { monitor }]) => !host.ejected && monitor.requests >= Math.max(minRequests, 1))
        .map(([host, { monitor }]) => [host, (monitor.successes * 100) / monitor.requests] as const);
    const forRate = rated(successRate.minRequests);
    if (forRate.length >= successRate.minHosts) {
      const mean = forRate.reduce((sum, [, rate]) => sum + rate, 0) / forRate.length;
      const variance = forRate.reduce((sum, [, rate]) => sum + (rate - mean) ** 2, 0) / forRate.length;
      const threshold = mean - successRate.stdevFactor * Math.sqrt(variance);
      for (const [host, rate] of forRate)
        if (rate < threshold) this.#detect(host, "success_rate", successRate.enforcingPercent);
    }
    const forFailures = rated(failurePercentage.minRequests);
    if (forFailures.length < failurePercentage.minHosts) return;
    for (const [host, rate] of forFailures) {
      if (100 - rate >= failurePercentage.thresholdPercent)
        this.#detect(host, "failure_percentage", failurePercentage.enforcingPercent);
    }
  }

  #detect(host: Host, kind: EjectionKind, enforcingPercent: number): void {
    const { config, stats, now, random, onChange } = this.#options;
    const watched = this.#hosts.get(host);
    if (host.ejected || watched === undefined) return;
    stats[`ejections_detected_${kind}`]++;
    if (random() * 100 >= enforcingPercent) return;
    const share = ((this.#active + 1) * 100) / this.#hosts.size;
    if (share > config.maxEjectionPercent && !(config.alwaysEjectOne && this.#active === 0)) {
      stats.ejections_overflow++;
      return;
    }
    watched.times++;
    const longest = Math.max(config.maxEjectionMs, config.baseEjectionMs);
    watched.untilMs = now() + Math.min(config.baseEjectionMs * watched.times, longest) + random() * config.maxJitterMs;
    host.ejected = true;
    stats.ejections_active = ++this.#active;
    stats.ejections_enforced_total++;
    stats[`ejections_enforced_${kind}`]++;
    onChange();
  }

  #uneject(host: Host): void {
    host.ejected = false;
    this.#hosts.get(host)?.monitor.reset();
    this.#options.stats.ejections_active = --this.#active;
  }
}
