import { setTimeout as pause } from "node:timers/promises";
import type { ConvergenceReport } from "@fairlead/registration";
import type { ConvergenceTracker, RegisteredProxy } from "./convergence-tracker.ts";
import { isRefusal } from "./pending-proxies.ts";

export interface MeshConvergenceOptions {
  readonly tracker: Pick<ConvergenceTracker, "wait" | "report" | "absent">;
  /** The proxies that must have a change before it has converged. */
  readonly registeredProxies: () => Promise<readonly RegisteredProxy[]>;
  readonly leaseTtlMs: number;
  /** For how long leases could be renewed without a break. */
  readonly availableForMs: () => number;
}

/** Of the lease time. Sidecars renew at a third of it. */
const renewalDueShare = 0.5;

/** Between two looks for proxies that are on their way back to a gateway: seconds after a gateway's restart, never otherwise. */
const absentRetryMs = 100;
const maxMissing = 1000;

/** Convergence of all proxies: what gateways say of those that are connected, and who is registered and connected to none. */
export class MeshConvergence {
  readonly #options: MeshConvergenceOptions;

  constructor(options: MeshConvergenceOptions) {
    this.#options = options;
  }

  /** How far a revision has got, now. @throws FairleadError FL_STORE_UNAVAILABLE */
  async report(revision: number): Promise<ConvergenceReport> {
    return await this.#withAbsent(this.#options.tracker.report(revision));
  }

  /** @returns `converged: false` at the time-out or the signal, and when nothing but refusals is missing @throws FairleadError FL_STORE_UNAVAILABLE */
  async wait(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<ConvergenceReport> {
    const endsAt = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = Math.max(0, endsAt - performance.now());
      const report = await this.#withAbsent(await this.#options.tracker.wait(revision, leftMs, signal));
      if (report.converged || performance.now() >= endsAt || signal?.aborted === true) return report;
      // The tracker gave up: to wait longer for who has refused it is of no use.
      if (report.missing.every(isRefusal)) return report;
      await pause(Math.min(absentRetryMs, Math.max(0, endsAt - performance.now())));
    }
  }

  async #withAbsent(report: ConvergenceReport): Promise<ConvergenceReport> {
    const { tracker, registeredProxies, leaseTtlMs, availableForMs } = this.#options;
    const dueMs = leaseTtlMs * renewalDueShare;
    const absent = tracker.absent(await registeredProxies(), availableForMs() > dueMs ? dueMs : undefined);
    if (absent.length === 0) return report;
    return { ...report, converged: false, missing: [...report.missing, ...absent].slice(0, maxMissing) };
  }
}
