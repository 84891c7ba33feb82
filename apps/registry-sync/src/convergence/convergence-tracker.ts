import type { ConfigPushed, GatewayStatus } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import type { ConvergenceReport, MissingProxy } from "@fairlead/registration";
import { CompiledRevisions } from "./compiled-revisions.ts";
import { type LiveGateway, LiveGateways } from "./live-gateways.ts";
import { holdsBack, isRefusedOnly, missingProxies } from "./pending-proxies.ts";

/** `config.pushed` may be lost with NATS's data: a gateway that has a revision for this long says that it was compiled. */
const trustGatewayAfterMs = 2000;
const maxWaiters = 10_000;
const maxMissing = 1000;

export interface ConvergenceTrackerOptions {
  /** Milliseconds since 1970, of the clock that `setTimeout` follows. @default Date.now */
  readonly now?: () => number;
  /** A gateway that was not heard for this long is forgotten. @default 5000 */
  readonly gatewayTimeoutMs?: number;
  /** For so long nothing but refusals is missing: then who waits is told of them. @default 2000 */
  readonly refusalGraceMs?: number;
  readonly logger?: Logger;
}

/** An ads-gateway as its last status has it. */
export interface GatewayView {
  readonly id: string;
  readonly debugUrl: string;
  /** The newest revision whose resources it has applied; 0 before the first. */
  readonly revision: number;
  readonly connected: number;
  /** How long ago it was heard. */
  readonly lastHeardMs: number;
}

/** A proxy that is registered and whose lease has not ended. */
export interface RegisteredProxy {
  readonly id: string;
  readonly renewedAgoMs: number;
}

/** A registered proxy that is connected to no gateway. */
export interface UnconnectedProxy {
  readonly node: string;
  /** How long ago it renewed its lease. */
  readonly renewedAgoMs: number;
  /** When a gateway saw its connection end, in ms since 1970; undefined where none did. */
  readonly closedMs?: number;
}

interface Waiter {
  readonly sinceMs: number;
  readonly answer: (report: ConvergenceReport) => void;
}

/**
 * Knows from the statuses of compilers and gateways which revisions have reached every proxy.
 *
 * Revision R has converged when it was compiled, at least one gateway is live, and each live one has applied R and has no
 * pending entry whose range covers R. Waiters are looked at when something changes, never by polling.
 */
export class ConvergenceTracker {
  readonly #now: () => number;
  readonly #logger: Logger | undefined;
  readonly #gateways: LiveGateways;
  readonly #compiled = new CompiledRevisions();
  /** By revision: one look serves all who wait for the same. */
  readonly #waiters = new Map<number, Set<Waiter>>();
  /** Since when nothing but refusals is missing of a revision that somebody waits for. */
  readonly #refusedSinceMs = new Map<number, number>();
  readonly #refusalGraceMs: number;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({
    now = Date.now,
    gatewayTimeoutMs = 5000,
    refusalGraceMs = 2000,
    logger,
  }: ConvergenceTrackerOptions = {}) {
    this.#now = now;
    this.#refusalGraceMs = refusalGraceMs;
    this.#logger = logger;
    this.#gateways = new LiveGateways(gatewayTimeoutMs);
  }

  /** @returns whether it counts: not when a newer one of the gateway was there before */
  gatewayStatus(status: GatewayStatus): boolean {
    if (status.gatewayId === "" || !this.#gateways.take(status, this.#now())) return false;
    this.#look();
    return true;
  }

  configPushed(message: ConfigPushed): void {
    this.#compiled.add(message);
    this.#look();
  }

  /**
   * Waits until a revision has converged.
   *
   * @param signal ends the wait: nobody is interested any more
   * @returns the report, `converged: false` after `timeoutMs`, once nothing but refusals has been missing for a while, at the signal, and at
   * once when 10000 wait already
   */
  async wait(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<ConvergenceReport> {
    const sinceMs = this.#now();
    const first = this.report(revision);
    if (first.converged || signal?.aborted === true || this.#waiting >= maxWaiters) return first;

    const { promise, resolve } = Promise.withResolvers<ConvergenceReport>();
    const waiter: Waiter = { sinceMs, answer: resolve };
    const giveUp = () => resolve(this.#report(revision, sinceMs));
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#add(revision, waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      this.#remove(revision, waiter);
    }
  }

  /** How far a revision has got, now. */
  report(revision: number): ConvergenceReport {
    return this.#report(revision, this.#now());
  }

  /** The live ones, by id. */
  gateways(): GatewayView[] {
    const now = this.#now();
    return this.#live()
      .map(({ status, revision, heardAtMs }) => ({
        id: status.gatewayId,
        debugUrl: status.debugUrl,
        revision,
        connected: status.connected,
        lastHeardMs: Math.max(0, now - heardAtMs),
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Proxies that should be connected and are to no gateway: they have an older configuration, and go by it. One that has died calls
   * nobody and is not waited for: its connection ended while its gateway stayed and it has not renewed its lease since, or it has let
   * `renewalDueMs` go by.
   *
   * @param renewalDueMs after this time a live proxy would have renewed its lease; undefined when leases could not be renewed for so long
   */
  absent(proxies: readonly RegisteredProxy[], renewalDueMs: number | undefined): MissingProxy[] {
    this.#live();
    const now = this.#now();
    if (!this.#gateways.knowsAllNodes) {
      return [
        { node: "ads-gateway", type: "", reason: "a gateway has not told yet who is connected to it", sinceMs: 0 },
      ];
    }
    return proxies.flatMap(({ id, renewedAgoMs }) => {
      if (this.#gateways.isConnected(id)) return [];
      const closedAgoMs = now - (this.#gateways.closedAtMs(id) ?? Number.NEGATIVE_INFINITY);
      const hasDied = renewedAgoMs > Math.min(closedAgoMs, renewalDueMs ?? Number.POSITIVE_INFINITY);
      if (hasDied) return [];
      const sinceMs = Number.isFinite(closedAgoMs) ? closedAgoMs : 0;
      const reason = `registered, but connected to no ads-gateway; it renewed its lease ${(renewedAgoMs / 1000).toFixed(1)} s ago`;
      return [{ node: id, type: "", reason, sinceMs }];
    });
  }

  /** Those of the proxies that are connected to no gateway, also such as have died; none while a gateway has not told who is connected to it. */
  unconnected(proxies: readonly RegisteredProxy[]): UnconnectedProxy[] {
    this.#live();
    if (!this.#gateways.knowsAllNodes) return [];
    return proxies.flatMap(({ id, renewedAgoMs }) => {
      if (this.#gateways.isConnected(id)) return [];
      const closedAtMs = this.#gateways.closedAtMs(id);
      return [{ node: id, renewedAgoMs, ...(closedAtMs === undefined ? {} : { closedMs: closedAtMs }) }];
    });
  }

  #live(): LiveGateway[] {
    const silent = this.#gateways.forgetSilent(this.#now());
    if (silent.length > 0) this.#logger?.warn({ gateways: silent }, "forgot ads-gateways that were not heard of");
    return this.#gateways.values();
  }

  #isCompiled(revision: number, live: readonly LiveGateway[]): boolean {
    if (this.#compiled.newest >= revision) return true;
    const trusted = this.#now() - trustGatewayAfterMs;
    return live.some((gateway) => gateway.revision >= revision && gateway.atRevisionSinceMs <= trusted);
  }

  #hasConverged(revision: number): boolean {
    return this.#isEverywhere(revision) && this.#live().every(({ status }) => !holdsBack(status, revision));
  }

  /** Whether every gateway has it. */
  #isEverywhere(revision: number): boolean {
    const live = this.#live();
    return live.length > 0 && this.#isCompiled(revision, live) && live.every((gateway) => gateway.revision >= revision);
  }

  /** Whether what is missing has been nothing but refusals for long enough. */
  #isRefused(revision: number): boolean {
    const refused = this.#isEverywhere(revision) && this.#live().every(({ status }) => isRefusedOnly(status, revision));
    if (!refused) {
      this.#refusedSinceMs.delete(revision);
      return false;
    }
    const sinceMs = this.#refusedSinceMs.get(revision) ?? this.#now();
    this.#refusedSinceMs.set(revision, sinceMs);
    return this.#now() - sinceMs >= this.#refusalGraceMs;
  }

  #report(revision: number, sinceMs: number): ConvergenceReport {
    const live = this.#live();
    const missing = this.#missing(revision, live, sinceMs);
    return {
      revision,
      converged: missing.length === 0,
      proxies: live.reduce((sum, { status }) => sum + status.connected, 0),
      missing: missing.slice(0, maxMissing),
      rejected: this.#compiled.rejectedBy(revision),
    };
  }

  /** Empty exactly when the revision has converged. */
  #missing(revision: number, live: readonly LiveGateway[], sinceMs: number): MissingProxy[] {
    const now = this.#now();
    const stage = (node: string, reason: string): MissingProxy => ({
      node,
      type: "",
      reason,
      sinceMs: Math.max(0, now - sinceMs),
    });
    const missing: MissingProxy[] = [];
    if (!this.#isCompiled(revision, live)) {
      const newest = this.#compiled.newest;
      const at = newest === 0 ? "nothing was heard of it" : `it is at ${newest}`;
      missing.push(stage("config-compiler", `config-compiler has not compiled revision ${revision} yet (${at})`));
    }
    if (live.length === 0) missing.push(stage("ads-gateway", "no ads-gateway is connected"));
    for (const { status, revision: reached } of live) {
      const name = `gateway:${status.gatewayId}`;
      if (reached < revision) missing.push(stage(name, `${name} is at revision ${reached}`));
      missing.push(...missingProxies(status, revision, now));
    }
    return missing;
  }

  #add(revision: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(revision) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(revision, waiters);
    this.#waiting++;
    // Notes since when.
    this.#isRefused(revision);
    this.#arm();
  }

  #remove(revision: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(revision);
    if (waiters?.delete(waiter) === true) this.#waiting--;
    if (waiters?.size === 0) {
      this.#waiters.delete(revision);
      this.#refusedSinceMs.delete(revision);
    }
    if (this.#waiting === 0) clearTimeout(this.#timer);
  }

  /** Something may have changed: answers those whose revision has converged, or is refused. */
  #look(): void {
    for (const [revision, waiters] of this.#waiters) {
      if (!this.#hasConverged(revision) && !this.#isRefused(revision)) continue;
      for (const waiter of waiters) {
        waiter.answer(this.#report(revision, waiter.sinceMs));
        this.#remove(revision, waiter);
      }
    }
    this.#arm();
  }

  /** Looks again when time alone may change the answer: a gateway is forgotten, or has had its revision, or refusals, for long enough. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#waiting === 0) return;
    const now = this.#now();
    const times = this.#gateways
      .values()
      .map(({ atRevisionSinceMs }) => atRevisionSinceMs + trustGatewayAfterMs)
      .filter((time) => time > now);
    for (const sinceMs of this.#refusedSinceMs.values()) times.push(sinceMs + this.#refusalGraceMs);
    const expiry = this.#gateways.nextExpiryMs();
    if (expiry !== undefined) times.push(expiry);
    if (times.length === 0) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.min(...times) - now));
    this.#timer.unref();
  }
}
