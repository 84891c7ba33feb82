import { FairleadError } from "@fairlead/errors";
import type { ConvergenceReport, WaitQuery } from "@fairlead/registration";
import { inSpan } from "@fairlead/telemetry";
import type { MeshConvergence } from "./convergence/mesh-convergence.ts";
import type { RegistryMetrics } from "./registry-metrics.ts";
import "./errors.ts";

/** FL_NOT_CONVERGED with the whole report; the change itself is stored. */
export class NotConvergedError extends FairleadError {
  /** Private, so that logs have the message and not a thousand proxies. */
  readonly #report: ConvergenceReport;

  constructor(report: ConvergenceReport, waitedMs: number) {
    const missing = report.missing
      .slice(0, 10)
      .map(({ node, type, reason }) => `${node}${type === "" ? "" : ` ${type}`}: ${reason}`);
    super(
      "FL_NOT_CONVERGED",
      `revision ${report.revision} is stored and has not converged after ${Math.round(waitedMs)} ms; missing: ${missing.join("; ")}`,
      {
        facts: { revision: report.revision, missing, missingCount: report.missing.length },
      },
    );
    this.#report = report;
  }

  get report(): ConvergenceReport {
    return this.#report;
  }
}

export interface ConvergenceWaitsOptions {
  readonly convergence: Pick<MeshConvergence, "wait">;
  readonly maxWaiters: number;
  readonly metrics: Pick<RegistryMetrics, "waited" | "waiters">;
}

/** Requests that answer only when all proxies have what they changed; no more than a limit at a time. */
export class ConvergenceWaits {
  readonly #options: ConvergenceWaitsOptions;
  #waiting = 0;

  constructor(options: ConvergenceWaitsOptions) {
    this.#options = options;
  }

  /**
   * Runs `change` and waits as the query says. Whether there is a place to wait is decided before the change is made.
   *
   * @throws FairleadError FL_OVERLOADED; NotConvergedError at the time-out, and when nothing but refusals is missing
   */
  async run<T extends { readonly revision: number }>(
    query: WaitQuery,
    signal: AbortSignal,
    change: () => Promise<T>,
  ): Promise<T & { convergence?: ConvergenceReport }> {
    if (query.wait === undefined) return await change();
    const { maxWaiters, metrics } = this.#options;
    if (this.#waiting >= maxWaiters) {
      throw new FairleadError(
        "FL_OVERLOADED",
        `${maxWaiters} requests wait for convergence already; nothing was changed`,
        { facts: { maxWaiters } },
      );
    }
    metrics.waiters(++this.#waiting);
    try {
      const changed = await change();
      return { ...changed, convergence: await this.#wait(changed.revision, query.timeout, signal) };
    } finally {
      metrics.waiters(--this.#waiting);
    }
  }

  async #wait(revision: number, timeoutMs: number, signal: AbortSignal): Promise<ConvergenceReport> {
    return await inSpan("registry.wait", { "fairlead.revision": revision }, async (span) => {
      const startedAt = performance.now();
      const report = await this.#options.convergence.wait(revision, timeoutMs, signal);
      span.setAttribute("fairlead.converged", report.converged);
      const waitedMs = performance.now() - startedAt;
      this.#options.metrics.waited(report.converged, waitedMs / 1000);
      if (!report.converged) throw new NotConvergedError(report, waitedMs);
      return report;
    });
  }
}
