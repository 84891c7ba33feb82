import type { HealthCheckStats } from "./cluster-stats.ts";
import type { HealthCheck } from "./health-check-config.ts";
import type { Host } from "./host.ts";
import type { HostProber } from "./host-prober.ts";
import type { Probe, ProbeResult } from "./probe.ts";

export interface HostCheckOptions {
  readonly check: HealthCheck;
  readonly stats: HealthCheckStats;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The cluster has served no request yet. */
  readonly noTraffic: () => boolean;
  readonly onPass: (host: Host) => void;
  /** It has its first result, or what is thought of the host has changed. */
  readonly onResult: (changed: boolean) => void;
}

/**
 * Asks one host from time to time. A new host is not chosen before it passed; its first result decides alone. Later a bad answer makes
 * it unhealthy at once, and silence after some in a row (as in Envoy).
 */
export class HostCheck {
  readonly #host: Host;
  readonly #prober: HostProber;
  readonly #options: HostCheckOptions;
  #timer: NodeJS.Timeout | undefined;
  #probe: Probe | undefined;
  #fresh = true;
  #closed = false;
  #successes = 0;
  #failures = 0;

  constructor(host: Host, prober: HostProber, options: HostCheckOptions) {
    this.#host = host;
    this.#prober = prober;
    this.#options = options;
    host.failedCheck = true;
    host.saysUnhealthy = () => this.#onSaysUnhealthy();
  }

  /** Before its first result. */
  get fresh(): boolean {
    return this.#fresh;
  }

  begin(): void {
    const { check, stats } = this.#options;
    stats.attempt++;
    this.#wait(check.timeoutMs, () => {
      this.#probe?.cancel();
      this.#prober.renew();
      this.#onResult("network failure");
    });
    this.#probe = this.#prober.start((result) => this.#onResult(result));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#probe?.cancel();
    this.#prober.close();
    this.#host.saysUnhealthy = undefined;
    this.#host.failedCheck = false;
    this.#host.degradedByCheck = false;
    this.#host.excluded = false;
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
    this.#timer.unref();
  }

  #onResult(result: ProbeResult): void {
    this.#probe = undefined;
    if (this.#closed) return;
    if (result === "pass" || result === "degraded") this.#pass(result === "degraded");
    else this.#fail(result);
    // What was told of it may have removed the host.
    if (this.#closed) return;
    this.#wait(this.#pauseMs(), () => this.begin());
  }

  #pauseMs(): number {
    const { check, random, noTraffic } = this.#options;
    const jitterMs = random() * check.jitterMs;
    if (this.#host.failedCheck) return check.unhealthyIntervalMs + jitterMs;
    return (noTraffic() ? check.noTrafficIntervalMs : check.intervalMs) + jitterMs;
  }

  #pass(degraded: boolean): void {
    const { check, stats, onPass } = this.#options;
    const host = this.#host;
    stats.success++;
    this.#failures = 0;
    this.#successes++;
    const tell = this.#change(() => {
      host.degradedByCheck = degraded;
      if (!host.failedCheck || (!this.#fresh && this.#successes < check.healthyThreshold)) return;
      host.failedCheck = false;
      host.excluded = false;
    });
    if (!host.failedCheck) onPass(host);
    tell();
  }

  #fail(result: Exclude<ProbeResult, "pass" | "degraded">): void {
    const { check, stats } = this.#options;
    const host = this.#host;
    stats.failure++;
    if (result === "network failure") stats.network_failure++;
    this.#successes = 0;
    this.#failures++;
    const tell = this.#change(() => {
      if (result === "bad answer" || result === "excluded" || this.#failures >= check.unhealthyThreshold)
        host.failedCheck = true;
      if (result === "excluded") host.excluded = true;
    });
    tell();
  }

  /** Of a response to a request: as if the check had failed now. The next check is not waited for, nor put off. */
  #onSaysUnhealthy(): void {
    const { stats } = this.#options;
    stats.failure++;
    stats.passive_failure++;
    this.#successes = 0;
    const tell = this.#change(() => {
      this.#host.failedCheck = true;
      this.#host.excluded = true;
    });
    tell();
  }

  /** @returns tells of it, if there is something to tell */
  #change(apply: () => void): () => void {
    const host = this.#host;
    const { failedCheck, degradedByCheck, excluded } = host;
    const first = this.#fresh;
    apply();
    this.#fresh = false;
    if (host.failedCheck && !failedCheck) host.renewConnections();
    const changed =
      failedCheck !== host.failedCheck || degradedByCheck !== host.degradedByCheck || excluded !== host.excluded;
    return () => {
      if (changed || first) this.#options.onResult(changed);
    };
  }
}
