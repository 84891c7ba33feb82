import type { RetryPolicy } from "@fairlead/proxy-router";
import type { HeaderMap } from "@fairlead/proxy-stream";
import type { CircuitBreaker, Cluster, Host, HostChoice } from "@fairlead/proxy-upstream";
import { AvoidedHosts } from "./avoided-hosts.ts";
import { backOffMs, resetHeaderMs } from "./retry-decision.ts";
import type { StreamInfo } from "./stream-info.ts";

/** How often a request has been tried again, and the pause before the next time. */
export class RetryState {
  readonly policy: RetryPolicy;
  readonly #cluster: Cluster;
  readonly #breaker: CircuitBreaker;
  readonly #random: () => number;
  #retries = 0;
  #active = false;
  #backOff: NodeJS.Timeout | undefined;
  #choice: RetryChoice | undefined;
  #attempts = 0;

  constructor(policy: RetryPolicy, cluster: Cluster, breaker: CircuitBreaker, random: () => number) {
    this.policy = policy;
    this.#cluster = cluster;
    this.#breaker = breaker;
    this.#random = random;
  }

  /** What the next attempt should not take. */
  choice(wanted: HostChoice | undefined): HostChoice | undefined {
    const failed = this.#choice;
    if (failed === undefined) return wanted;
    return {
      ...wanted,
      avoid: failed.hosts,
      avoidAttempts: this.policy.avoidHostsAttempts,
      avoidPriorities: failed.priorities,
    };
  }

  /**
   * Calls `again` after the back-off.
   *
   * @param host that failed
   * @param replayable whether all of the request is still there
   * @param response that asks for another attempt, if there is one
   * @returns false when no other attempt is allowed; `info` has the flag
   */
  schedule(
    host: Host,
    replayable: boolean,
    response: HeaderMap | undefined,
    info: StreamInfo,
    again: () => void,
  ): boolean {
    const { stats } = this.#cluster;
    this.end(false);
    if (this.#retries >= this.policy.retries) {
      stats.upstream_rq_retry_limit_exceeded++;
      info.flag("URX");
      return false;
    }
    if (!replayable) return false;
    if (this.#breaker.retriesFull) {
      stats.upstream_rq_retry_overflow++;
      info.flag("UO");
      return false;
    }
    this.#retries++;
    this.#active = true;
    this.#breaker.addRetries(1);
    stats.upstream_rq_retry++;
    this.#noteFailed(host);
    this.#backOff = setTimeout(again, this.#pauseMs(response));
    return true;
  }

  #pauseMs(response: HeaderMap | undefined): number {
    const { stats } = this.#cluster;
    const { rateLimited } = this.policy;
    const asked =
      response === undefined || rateLimited === undefined ? undefined : resetHeaderMs(response, rateLimited);
    if (asked === undefined) {
      stats.upstream_rq_retry_backoff_exponential++;
      return backOffMs(this.policy, this.#retries, this.#random);
    }
    stats.upstream_rq_retry_backoff_ratelimited++;
    // All that were turned away are not to come back at once.
    return asked * (1 + this.#random() / 2);
  }

  #noteFailed(host: Host): void {
    const { avoidHostsAttempts, avoidPrioritiesAfter } = this.policy;
    if (avoidHostsAttempts === 0 && avoidPrioritiesAfter === 0) return;
    this.#choice ??= { hosts: new AvoidedHosts(this.policy), priorities: new Set() };
    this.#choice.hosts.noteFailed(host);
    this.#attempts++;
    if (avoidPrioritiesAfter > 0 && this.#attempts % avoidPrioritiesAfter === 0)
      this.#choice.priorities.add(host.priority);
  }

  /** The attempt has a response that is passed on, or has failed too. */
  end(success: boolean): void {
    if (!this.#active) return;
    this.#active = false;
    this.#breaker.addRetries(-1);
    if (success) this.#cluster.stats.upstream_rq_retry_success++;
  }

  cancel(): void {
    clearTimeout(this.#backOff);
    this.end(false);
  }
}

interface RetryChoice {
  readonly hosts: AvoidedHosts;
  readonly priorities: Set<number>;
}
