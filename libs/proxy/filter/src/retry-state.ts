import type { RetryPolicy } from "@fairlead/proxy-router";
import type { Cluster, Host } from "@fairlead/proxy-upstream";
import { backOffMs } from "./retry-decision.ts";
import type { StreamInfo } from "./stream-info.ts";

/** How often a request has been tried again, and the pause before the next time. */
export class RetryState {
  readonly policy: RetryPolicy;
  readonly #cluster: Cluster;
  readonly #random: () => number;
  #retries = 0;
  #active = false;
  #backOff: NodeJS.Timeout | undefined;
  #failed: Set<Host> | undefined;

  constructor(policy: RetryPolicy, cluster: Cluster, random: () => number) {
    this.policy = policy;
    this.#cluster = cluster;
    this.#random = random;
  }

  /** Hosts that the next attempt should not take. */
  get failedHosts(): ReadonlySet<Host> | undefined {
    return this.#failed;
  }

  /**
   * Calls `again` after the back-off.
   *
   * @param host that failed
   * @param replayable whether all of the request is still there
   * @returns false when no other attempt is allowed; `info` has the flag
   */
  schedule(host: Host, replayable: boolean, info: StreamInfo, again: () => void): boolean {
    const { stats, config } = this.#cluster;
    this.end(false);
    if (this.#retries >= this.policy.retries) {
      stats.upstream_rq_retry_limit_exceeded++;
      info.flag("URX");
      return false;
    }
    if (!replayable) return false;
    if (stats.upstream_rq_retry_active >= config.circuitBreakers.maxRetries) {
      stats.upstream_rq_retry_overflow++;
      info.flag("UO");
      return false;
    }
    this.#retries++;
    this.#active = true;
    stats.upstream_rq_retry_active++;
    stats.upstream_rq_retry++;
    if (this.policy.avoidHostsAttempts > 0) (this.#failed ??= new Set()).add(host);
    this.#backOff = setTimeout(again, backOffMs(this.policy, this.#retries, this.#random));
    return true;
  }

  /** The attempt has a response that is passed on, or has failed too. */
  end(success: boolean): void {
    if (!this.#active) return;
    this.#active = false;
    this.#cluster.stats.upstream_rq_retry_active--;
    if (success) this.#cluster.stats.upstream_rq_retry_success++;
  }

  cancel(): void {
    clearTimeout(this.#backOff);
    this.end(false);
  }
}
