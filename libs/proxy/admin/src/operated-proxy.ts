import type { IncomingMessage, ServerResponse } from "node:http";
import type { DataPlane, DrainOptions } from "@fairlead/proxy-runtime";
import { AdsClient, type AdsLogger, type AdsState, LastGoodConfig } from "@fairlead/proxy-xds-client";
import { type AdminManners, AdminServer } from "./admin-server.ts";
import { CounterBaseline } from "./counter-baseline.ts";
import { proxyPages } from "./proxy-pages.ts";
import { serverStateOf, waitsForWorkers, warmsBeforeTakeover } from "./readiness.ts";
import {
  countersOf,
  type EpochFacts,
  histogramsWith,
  openConnections,
  type ServerState,
  statsOf,
} from "./server-stats.ts";

/** Where a proxy has its configuration from, as operators set it. */
export interface AdsSettings {
  readonly adsAddress: readonly string[];
  /** In milliseconds. */
  readonly initialFetchTimeout: number;
  readonly adsVariant: "delta" | "sotw";
  /** A folder. @default what was applied last is not kept */
  readonly lastGoodConfig?: string | undefined;
}

export interface OperatedProxyOptions {
  /** What the program is called: `sidecar`. */
  readonly program: string;
  readonly version: string;
  readonly node: { readonly id: string; readonly app: string; readonly labels: Readonly<Record<string, string>> };
  readonly runtime: DataPlane;
  readonly settings: AdsSettings;
  /** Its level is what POST /logging changes. */
  readonly logger: AdsLogger & { level: string; error(facts: object, message: string): void };
  /** Its place among the processes that follow each other in hot restarts. @default it is the only one */
  readonly epoch?: (EpochFacts & { readonly replaces: boolean }) | undefined;
  readonly manners: Omit<AdminManners, "onFailure">;
  /** Writes the process's own metrics in Prometheus' text format. */
  readonly serveMetrics: (request: IncomingMessage, response: ServerResponse) => void;
  /** What it lacks to take calls, in the operator's words; empty = nothing. */
  readonly missing: (ads: AdsState, runtime: DataPlane) => readonly string[];
  /** Ends the process as SIGTERM does. */
  readonly quit: () => void;
}

/** A data plane as its operators know it: configured over ADS, with a state, admin pages and SIGUSR1 for a rotation of its logs. */
export class OperatedProxy {
  readonly ads: AdsClient;
  /** Not listening yet. */
  readonly admin: AdminServer;
  readonly #options: OperatedProxyOptions;
  readonly #lastGood: LastGoodConfig | undefined;
  readonly #baseline = new CounterBaseline();
  #draining = false;
  /** POST /healthcheck/fail. */
  #leaving = false;

  constructor(options: OperatedProxyOptions) {
    const { program, version, node, runtime, settings, logger, epoch, manners, serveMetrics, quit } = options;
    this.#options = options;
    this.#lastGood =
      settings.lastGoodConfig === undefined ? undefined : new LastGoodConfig(settings.lastGoodConfig, logger);
    this.ads = new AdsClient({
      addresses: settings.adsAddress,
      node: { id: node.id, cluster: node.app, metadata: { labels: { ...node.labels } }, version },
      consumer: runtime,
      logger,
      initialFetchTimeoutMs: settings.initialFetchTimeout,
      variant: settings.adsVariant,
      ...(this.#lastGood === undefined ? {} : { lastGood: this.#lastGood }),
    });
    const pages = proxyPages({
      program,
      node,
      version,
      runtime,
      ads: () => this.ads.state(),
      state: () => this.#state,
      waitingFor: () => this.waitingFor(),
      logger,
      epoch,
      baseline: this.#baseline,
      serveMetrics,
      drain: (graceful) =>
        void this.drain(graceful ? { strategy: "gradual", accepting: true } : {}).catch(this.#failed("draining")),
      failHealthCheck: (failing) => {
        this.#leaving = failing;
        runtime.failHealthCheck(failing);
      },
      quit,
    });
    this.admin = new AdminServer(pages, {
      ...manners,
      onFailure: (error) => logger.error({ err: error }, "admin page failed"),
    });
  }

  start(): void {
    process.on("SIGUSR1", this.#reopenLogs);
    this.ads.start();
  }

  /** What it waits for before it takes calls; empty = ready. */
  waitingFor(): readonly string[] {
    if (this.#draining) return ["nothing: it is draining"];
    const { missing, runtime } = this.#options;
    return [...missing(this.ads.state(), runtime), ...waitsForWorkers(runtime)];
  }

  /** What it waits for before it may take the place of the process before it; empty = ready. */
  warmingFor(): readonly string[] {
    const { runtime, epoch } = this.#options;
    return [...this.waitingFor(), ...warmsBeforeTakeover(runtime, epoch?.replaces === true)];
  }

  /** From now on it is not ready; it accepts calls all the same. */
  beginEnd(): void {
    this.#draining = true;
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    this.beginEnd();
    await this.#options.runtime.drain(options);
  }

  /** What the next process goes on from: as its readers know it, who would take what was reset for new. */
  report(): EpochFacts["parent"] {
    const { runtime, epoch } = this.#options;
    const { numbers, histograms } = this.#baseline.since({
      numbers: statsOf({ state: this.#state, uptimeMs: 0, epoch }, this.ads.state(), runtime),
      histograms: histogramsWith(runtime.histograms(), epoch?.parent),
    });
    return {
      counters: countersOf(numbers),
      histograms: Object.fromEntries(histograms),
      connections: openConnections(numbers),
    };
  }

  /** Cuts what is under way: drain first. */
  async close(): Promise<void> {
    process.off("SIGUSR1", this.#reopenLogs);
    this.ads.stop();
    await Promise.all([this.admin.close(), this.#options.runtime.close(), this.#lastGood?.flush()]);
  }

  get #state(): ServerState {
    return serverStateOf(this.#draining || this.#leaving, this.waitingFor());
  }

  readonly #reopenLogs = (): void => {
    void this.#options.runtime.reopenLogs().catch(this.#failed("opening the access log again"));
  };

  #failed(what: string): (error: unknown) => void {
    return (error) => this.#options.logger.error({ err: error }, `${what} failed`);
  }
}
