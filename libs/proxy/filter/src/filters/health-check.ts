import { commonCells } from "@fairlead/stat-cells";
import { compileHeader, type HeaderMatch } from "@fairlead/proxy-router";
import type { RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { LocalReply } from "../local-reply.ts";
import type { FilterStatus, StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";

export interface HealthCheckSpec {
  /** Health checks go on to the application, unless the proxy is to be left; false: the proxy answers. */
  readonly passThrough: boolean;
  /** What makes a request one: all of them. */
  readonly headers: readonly HeaderMatch[];
  /** What the application said is said again for so long; only with `passThrough`. @default 0: it is asked each time */
  readonly cacheMs?: number;
  /** The share of hosts, from 0 to 100, that must be healthy or degraded, by cluster; only without `passThrough`. @default none */
  readonly leastHealthy?: ReadonlyMap<string, number>;
}

const IMMEDIATE_FAIL = "x-envoy-immediate-health-check-fail";
const DEGRADED = "x-envoy-degraded";

const leaves: LocalReply = {
  status: 503,
  body: "",
  details: "health_check_failed",
  flag: "LH",
  headers: [IMMEDIATE_FAIL, "true"],
};

/** @throws FairleadError FL_ROUTE_INVALID */
export function healthCheckFilter(spec: HealthCheckSpec, where: string): StreamFilterFactory {
  const tests = spec.headers.map((header, i) => compileHeader(header, `${where}headers[${i}]`));
  const check: HealthCheck = {
    asks: (head) => tests.every((matches) => matches(head)),
    passThrough: spec.passThrough,
    cache: spec.cacheMs === undefined || spec.cacheMs === 0 ? undefined : new AnswerCache(spec.cacheMs),
    leastHealthy: spec.leastHealthy ?? new Map(),
  };
  return (callbacks) => new HealthCheckFilter(check, callbacks);
}

interface HealthCheck {
  readonly asks: (head: RequestHead) => boolean;
  readonly passThrough: boolean;
  readonly cache: AnswerCache | undefined;
  readonly leastHealthy: ReadonlyMap<string, number>;
}

class HealthCheckFilter implements StreamFilter {
  readonly #check: HealthCheck;
  readonly #callbacks: StreamFilterCallbacks;
  #asked = false;

  constructor(check: HealthCheck, callbacks: StreamFilterCallbacks) {
    this.#check = check;
    this.#callbacks = callbacks;
  }

  /** @throws MatchTooLong */
  onRequestHead(head: RequestHead): FilterStatus {
    this.#asked = this.#check.asks(head);
    const reply = this.#asked ? this.#reply() : undefined;
    if (reply === undefined) return "continue";
    this.#callbacks.sendLocalReply(reply);
    return "stop";
  }

  onResponseHead({ status, headers, local }: ResponseHead): void {
    if (this.#asked) {
      // What this filter says itself is not news of the application.
      if (local?.details.startsWith("health_check_") !== true)
        this.#check.cache?.keep(status, headers.has(DEGRADED), this.#callbacks.now());
    } else if (this.#callbacks.healthFailed) headers.set(IMMEDIATE_FAIL, "true");
  }

  /** @returns undefined where the application is to be asked */
  #reply(): LocalReply | undefined {
    const { passThrough, cache, leastHealthy } = this.#check;
    if (this.#callbacks.healthFailed) return leaves;
    if (passThrough) return cache?.answer(this.#callbacks.now());
    for (const [name, percent] of leastHealthy) {
      const failure = this.#failureOf(name, percent);
      if (failure !== undefined)
        return { status: 503, body: "", details: `health_check_failed_${failure}`, flag: "LH" };
    }
    const details = leastHealthy.size === 0 ? "health_check_ok" : "health_check_ok_cluster_healthy";
    return { status: 200, body: "", details };
  }

  #failureOf(name: string, percent: number): string | undefined {
    const hosts = this.#callbacks.hostsOf(name);
    if (hosts === undefined) return "no_cluster_found";
    if (hosts.total === 0) return percent === 0 ? undefined : "cluster_empty";
    return 100 * hosts.usable < hosts.total * percent ? "cluster_unhealthy" : undefined;
  }
}

const ANSWER = 0;
const UNTIL = 1;

/** What the application last said; of all threads. */
class AnswerCache {
  readonly #cacheMs: number;
  readonly #cells = commonCells(2);

  constructor(cacheMs: number) {
    this.#cacheMs = cacheMs;
  }

  /** @param nowMs of a clock that all threads have */
  keep(status: number, degraded: boolean, nowMs: number): void {
    Atomics.store(this.#cells, UNTIL, (Math.floor(nowMs) + this.#cacheMs) | 0);
    Atomics.store(this.#cells, ANSWER, status * 2 + (degraded ? 1 : 0));
  }

  answer(nowMs: number): LocalReply | undefined {
    const answer = Atomics.load(this.#cells, ANSWER);
    const leftMs = (Atomics.load(this.#cells, UNTIL) - (Math.floor(nowMs) | 0)) | 0;
    // Clocks that run over: what has been kept for longer than anything is kept is from before.
    if (answer === 0 || leftMs <= 0 || leftMs > this.#cacheMs) return undefined;
    const status = answer >> 1;
    return {
      status,
      body: "",
      details: "health_check_cached",
      ...(status >= 200 && status < 300 ? {} : { flag: "LH" as const }),
      ...(answer % 2 === 1 ? { headers: [DEGRADED, ""] } : {}),
    };
  }
}
