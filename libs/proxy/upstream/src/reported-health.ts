import type { ClusterConfig } from "./cluster-config.ts";
import type { Host, HostMonitor } from "./host.ts";

/** What one version of a cluster was found to be by the thread that checks its hosts. */
export interface HealthReport {
  /** Grows with each version of any cluster. */
  readonly version: number;
  /** Each host has been checked once. */
  readonly checked: boolean;
  /** `address:port` of those whose check passes. */
  readonly passing: readonly string[];
  /** Of those that outlier detection has put out. */
  readonly ejected: readonly string[];
  /** Of those that pass but are degraded. */
  readonly degraded: readonly string[];
  /** Of those that asked not to be counted on. */
  readonly excluded: readonly string[];
}

/** Another thread, that checks hosts and puts them out for all. */
export interface HealthReporter {
  /** Of each version that is there, the newest last. Without health checks there is one only while a host is put out. */
  reportsOf(cluster: string): readonly HealthReport[];
  /** @returns a function that unsubscribes */
  onReports(listener: () => void): () => void;
  /** Who tells that thread how a host does. */
  monitorOf(cluster: string, host: string): HostMonitor;
  /** A host has said in a response that it is unhealthy. */
  tellUnhealthy(cluster: string, host: string): void;
}

export interface ReportedHealthOptions {
  readonly config: ClusterConfig;
  readonly reporter: HealthReporter;
  readonly onChange: () => void;
}

/** In the place of health checks and outlier detection of this thread's own: what another one has found. */
export class ReportedHealth {
  readonly #options: ReportedHealthOptions;
  readonly #unsubscribe: () => void;
  /** Where hosts are checked, those of its own version count; while there is no report, that is the first that comes. */
  #version: number | undefined;
  #report: HealthReport | undefined;
  #hosts: readonly Host[] = [];
  #onChecked: (() => void)[] = [];

  constructor(options: ReportedHealthOptions) {
    this.#options = options;
    this.#read();
    this.#unsubscribe = options.reporter.onReports(() => {
      if (this.#read()) this.#onReport();
    });
  }

  get firstRoundDone(): boolean {
    return !this.#hasChecks || this.#report?.checked === true;
  }

  onFirstRound(listener: () => void): void {
    if (this.firstRoundDone) listener();
    else this.#onChecked.push(listener);
  }

  setHosts(given: Iterable<Host>): void {
    const { config, reporter } = this.#options;
    const hosts = [...given];
    this.#hosts = hosts;
    if (config.outlierDetection !== undefined)
      for (const host of hosts) host.monitor ??= reporter.monitorOf(config.name, host.key);
    if (this.#hasChecks)
      for (const host of hosts) host.saysUnhealthy ??= () => reporter.tellUnhealthy(config.name, host.key);
    this.#mark();
  }

  /** Who waits for the first round waits no longer. */
  close(): void {
    this.#unsubscribe();
    this.#tellChecked();
  }

  get #hasChecks(): boolean {
    return (this.#options.config.healthChecks ?? []).length > 0;
  }

  /** @returns whether something has changed */
  #read(): boolean {
    const reports = this.#options.reporter.reportsOf(this.#options.config.name);
    this.#version ??= reports.at(-1)?.version;
    const own = reports.find(({ version }) => version === this.#version);
    const report = this.#hasChecks ? (own ?? this.#report) : reports.at(-1);
    if (report === this.#report) return false;
    this.#report = report;
    return true;
  }

  #onReport(): void {
    this.#mark();
    this.#options.onChange();
    if (this.firstRoundDone) this.#tellChecked();
  }

  #tellChecked(): void {
    const listeners = this.#onChecked;
    this.#onChecked = [];
    for (const listener of listeners) listener();
  }

  #mark(): void {
    const passing = new Set(this.#report?.passing);
    const ejected = new Set(this.#report?.ejected);
    const degraded = new Set(this.#report?.degraded);
    const excluded = new Set(this.#report?.excluded);
    for (const host of this.#hosts) {
      const { failedCheck } = host;
      // One that is new has not passed yet.
      host.failedCheck = this.#hasChecks && !passing.has(host.key);
      if (host.failedCheck && !failedCheck) host.renewConnections();
      host.degradedByCheck = degraded.has(host.key);
      host.excluded = excluded.has(host.key);
      host.ejected = ejected.has(host.key);
    }
  }
}
