import { totalOf } from "@fairlead/stat-cells";
import type { CircuitBreakers } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { InUse } from "./in-use.ts";

/**
 * What the requests of one priority have of a cluster, in all threads, against what they may have. The cluster's gauges count the
 * requests of both priorities; those of high priority are counted a second time. So what is said to be full by the gauges is looked
 * at again, and what is not needs one look only.
 */
export class CircuitBreaker {
  readonly limits: CircuitBreakers;
  readonly #stats: ClusterStats;
  /** Over all threads and both priorities. */
  readonly #all: Readonly<InUse>;
  /** Over all threads, of this priority. */
  readonly #own: Readonly<InUse>;
  /** Where requests of high priority are counted besides. */
  readonly #high: InUse | undefined;

  constructor(stats: ClusterStats, limits: CircuitBreakers) {
    this.#stats = stats;
    this.limits = limits;
    this.#all = totalOf(stats);
    const high = totalOf(stats.high);
    this.#own = limits.priority === "high" ? high : new Rest(this.#all, high);
    this.#high = limits.priority === "high" ? stats.high : undefined;
  }

  /** Over all threads. */
  get inUse(): Readonly<InUse> {
    return this.#own;
  }

  get requestsFull(): boolean {
    const { maxRequests } = this.limits;
    return this.#all.upstream_rq_active >= maxRequests && this.#own.upstream_rq_active >= maxRequests;
  }

  get pendingFull(): boolean {
    const { maxPendingRequests: most } = this.limits;
    return this.#all.upstream_rq_pending_active >= most && this.#own.upstream_rq_pending_active >= most;
  }

  get connectionsFull(): boolean {
    const { maxConnections } = this.limits;
    return this.#all.upstream_cx_active >= maxConnections && this.#own.upstream_cx_active >= maxConnections;
  }

  /** As it is now: a budget grows with the requests under way. */
  get maxRetries(): number {
    const { maxRetries, retryBudget: budget } = this.limits;
    if (budget === undefined) return maxRetries;
    return Math.max(budget.minConcurrency, (this.#own.upstream_rq_active * budget.percent) / 100);
  }

  get retriesFull(): boolean {
    return this.#own.upstream_rq_retry_active >= this.maxRetries;
  }

  addRequests(by: 1 | -1): void {
    this.#stats.upstream_rq_active += by;
    if (this.#high !== undefined) this.#high.upstream_rq_active += by;
  }

  addPending(by: 1 | -1): void {
    this.#stats.upstream_rq_pending_active += by;
    if (this.#high !== undefined) this.#high.upstream_rq_pending_active += by;
  }

  addConnections(by: 1 | -1): void {
    this.#stats.upstream_cx_active += by;
    if (this.#high !== undefined) this.#high.upstream_cx_active += by;
  }

  addRetries(by: 1 | -1): void {
    this.#stats.upstream_rq_retry_active += by;
    if (this.#high !== undefined) this.#high.upstream_rq_retry_active += by;
  }
}

/** What is left of the whole. */
class Rest implements Readonly<InUse> {
  readonly #all: Readonly<InUse>;
  readonly #part: Readonly<InUse>;

  constructor(all: Readonly<InUse>, part: Readonly<InUse>) {
    this.#all = all;
    this.#part = part;
  }

  get upstream_cx_active(): number {
    return this.#all.upstream_cx_active - this.#part.upstream_cx_active;
  }

  get upstream_rq_active(): number {
    return this.#all.upstream_rq_active - this.#part.upstream_rq_active;
  }

  get upstream_rq_pending_active(): number {
    return this.#all.upstream_rq_pending_active - this.#part.upstream_rq_pending_active;
  }

  get upstream_rq_retry_active(): number {
    return this.#all.upstream_rq_retry_active - this.#part.upstream_rq_retry_active;
  }
}
