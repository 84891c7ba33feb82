import type { SlotControl } from "@fairlead/slot";
import type { Cluster, HealthReport, HealthReporter, Host, HostMonitor } from "@fairlead/proxy-upstream";
import { hostReportsSlot, type Outcome } from "./messages.ts";

/** How long a worker gathers what became of its requests before it tells. */
const TELL_OUTCOMES_MS = 20;
/** It does not wait with more. */
const MAX_OUTCOMES = 256;

/** Changes that come sooner after the last ones were told wait for each other: clusters that begin change with each of their hosts. */
const TELL_REPORTS_MS = 20;

/** The control thread's side: it checks hosts and puts them out, and tells the workers which. */
export class HostReports {
  readonly #control: SlotControl;
  readonly #onFailure: (error: unknown) => void;
  /** Packed as one text: to send all of them again costs little. */
  readonly #told = new Map<Cluster, { readonly version: number; readonly packed: string }>();
  readonly #changed = new Set<Cluster>();
  #lastVersion = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(control: SlotControl, onFailure: (error: unknown) => void) {
    this.#control = control;
    this.#onFailure = onFailure;
  }

  readonly onHealth = (cluster: Cluster): void => {
    this.#changed.add(cluster);
    if (this.#changed.size === 1 && this.#pause === undefined) queueMicrotask(() => this.tell());
  };

  /** What workers are told afterwards finds the reports there. */
  tell(): void {
    let differs = false;
    for (const cluster of this.#changed) if (this.#update(cluster)) differs = true;
    this.#changed.clear();
    if (!differs) return;
    const reports = new Map<string, string[]>();
    for (const [{ config }, { packed }] of this.#told) {
      const ofCluster = reports.get(config.name);
      if (ofCluster === undefined) reports.set(config.name, [packed]);
      else ofCluster.push(packed);
    }
    this.#control.set(hostReportsSlot, reports).catch(this.#onFailure);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.tell();
    }, TELL_REPORTS_MS);
    this.#pause.unref();
  }

  /** @returns whether there is something to tell */
  #update(cluster: Cluster): boolean {
    const hosts = cluster.hosts.entries.map(({ host }) => host);
    const hasChecks = (cluster.config.healthChecks ?? []).length > 0;
    if (cluster.closed || (!hasChecks && !hosts.some((host) => host.ejected))) return this.#told.delete(cluster);
    const before = this.#told.get(cluster);
    const version = before?.version ?? ++this.#lastVersion;
    const keysOf = (has: (host: Host) => boolean): string[] => hosts.filter(has).map(({ key }) => key);
    const report: HealthReport = {
      version,
      checked: cluster.checked,
      passing: hasChecks ? keysOf((host) => !host.failedCheck) : [],
      ejected: keysOf((host) => host.ejected),
      degraded: keysOf((host) => host.degradedByCheck),
      excluded: keysOf((host) => host.excluded),
    };
    const packed = JSON.stringify(report);
    this.#told.set(cluster, { version, packed });
    return packed !== before?.packed;
  }
}

/** A worker's side: tells how hosts do, and is told what that makes of them. */
export class HostReportsOfControl implements HealthReporter {
  readonly #listeners = new Set<() => void>();
  readonly #tell: (outcomes: readonly Outcome[]) => void;
  #packed: ReadonlyMap<string, readonly string[]> = new Map();
  /** Of the clusters that were asked for. */
  readonly #reports = new Map<string, readonly HealthReport[]>();
  #outcomes: Outcome[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (outcomes: readonly Outcome[]) => void) {
    this.#tell = tell;
  }

  take(packed: ReadonlyMap<string, readonly string[]>): void {
    const before = this.#packed;
    this.#packed = packed;
    // All reports come with each change; what has not changed stays the same object, so that nobody acts on it.
    for (const [cluster, reports] of this.#reports) {
      const known = before.get(cluster) ?? [];
      const unpacked = packed.get(cluster)?.map((text) => reports[known.indexOf(text)] ?? unpack(text));
      if (unpacked === undefined) this.#reports.delete(cluster);
      else this.#reports.set(cluster, unpacked);
    }
    for (const listener of this.#listeners) listener();
  }

  reportsOf(cluster: string): readonly HealthReport[] {
    const known = this.#reports.get(cluster);
    if (known !== undefined) return known;
    const reports = this.#packed.get(cluster)?.map((text) => unpack(text)) ?? [];
    if (reports.length > 0) this.#reports.set(cluster, reports);
    return reports;
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
}

function unpack(text: string): HealthReport {
  return JSON.parse(text) as HealthReport;
}

/** In the control thread: as if the requests had been its own. */
export function noteOutcome(host: Host | undefined, outcome: Outcome): void {
  const monitor = host?.monitor;
  if (outcome[2] === "says unhealthy") host?.saysUnhealthy?.();
  else if (outcome[2] === "response") monitor?.onResponse(outcome[3], outcome[4]);
  else if (outcome[2] === "reset") monitor?.onReset(outcome[3]);
  else monitor?.onTimeout();
}
