import { isDeepStrictEqual } from "node:util";
import type { SlotControl } from "@fairlead/slot";
import type { Cluster, HealthReport, HealthReporter, Host, HostMonitor } from "@fairlead/proxy-upstream";
import { hostReportsSlot, type Outcome } from "./messages.ts";

/** How long a worker gathers what became of its requests before it tells. */
const TELL_OUTCOMES_MS = 20;
/** It does not wait with more. */
const MAX_OUTCOMES = 256;

/** The control thread's side: it checks hosts and puts them out, and tells the workers which. */
export class HostReports {
  readonly #control: SlotControl;
  readonly #onFailure: (error: unknown) => void;
  readonly #versions = new Map<Cluster, HealthReport>();
  #lastVersion = 0;
  #changed = false;

  constructor(control: SlotControl, onFailure: (error: unknown) => void) {
    this.#control = control;
    this.#onFailure = onFailure;
  }

  readonly onHealth = (cluster: Cluster): void => {
    const hosts = cluster.hosts.entries.map(({ host }) => host);
    const hasChecks = (cluster.config.healthChecks ?? []).length > 0;
    if (cluster.closed || (!hasChecks && !hosts.some((host) => host.ejected))) {
      if (!this.#versions.delete(cluster)) return;
    } else {
      this.#versions.set(cluster, {
        version: this.#versions.get(cluster)?.version ?? ++this.#lastVersion,
        checked: cluster.checked,
        passing: hosts.filter((host) => hasChecks && !host.failedCheck).map(({ key }) => key),
        ejected: hosts.filter((host) => host.ejected).map(({ key }) => key),
        degraded: hosts.filter((host) => host.degradedByCheck).map(({ key }) => key),
        excluded: hosts.filter((host) => host.excluded).map(({ key }) => key),
      });
    }
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => this.tell());
  };

  /** What workers are told afterwards finds the reports there. */
  tell(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const reports = new Map<string, HealthReport[]>();
    for (const [{ config }, report] of this.#versions)
      reports.set(config.name, [...(reports.get(config.name) ?? []), report]);
    this.#control.set(hostReportsSlot, reports).catch(this.#onFailure);
  }
}

/** A worker's side: tells how hosts do, and is told what that makes of them. */
export class HostReportsOfControl implements HealthReporter {
  readonly #listeners = new Set<() => void>();
  readonly #tell: (outcomes: readonly Outcome[]) => void;
  #reports: ReadonlyMap<string, readonly HealthReport[]> = new Map();
  #outcomes: Outcome[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (outcomes: readonly Outcome[]) => void) {
    this.#tell = tell;
  }

  take(reports: ReadonlyMap<string, readonly HealthReport[]>): void {
    this.#reports = new Map([...reports].map(([cluster, theirs]) => [cluster, this.#keepEqual(cluster, theirs)]));
    for (const listener of this.#listeners) listener();
  }

  reportsOf(cluster: string): readonly HealthReport[] {
    return this.#reports.get(cluster) ?? [];
  }

  onReports(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  monitorOf(cluster: string, host: string): HostMonitor {
    return {
      onResponse: (status, grpcStatus) => this.#note([cluster, host, "response", status, grpcStatus]),
      onReset: (reason) => this.#note([cluster, host, "reset", reason]),
      onTimeout: () => this.#note([cluster, host, "timeout"]),
    };
  }

  tellUnhealthy(cluster: string, host: string): void {
    this.#note([cluster, host, "says unhealthy"]);
    this.#flush();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #note(outcome: Outcome): void {
    if (this.#outcomes.push(outcome) >= MAX_OUTCOMES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), TELL_OUTCOMES_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    if (outcomes.length > 0) this.#tell(outcomes);
  }

  /** All reports come with each change; what has not changed stays the same object, so that nobody acts on it. */
  #keepEqual(cluster: string, reports: readonly HealthReport[]): readonly HealthReport[] {
    const before = this.reportsOf(cluster);
    return reports.map((report) => before.find((known) => isDeepStrictEqual(known, report)) ?? report);
  }
}

/** In the control thread: as if the requests had been its own. */
export function noteOutcome(host: Host | undefined, outcome: Outcome): void {
  const monitor = host?.monitor;
  if (outcome[2] === "says unhealthy") host?.saysUnhealthy?.();
  else if (outcome[2] === "response") monitor?.onResponse(outcome[3], outcome[4]);
  else if (outcome[2] === "reset") monitor?.onReset(outcome[3]);
  else monitor?.onTimeout();
}
