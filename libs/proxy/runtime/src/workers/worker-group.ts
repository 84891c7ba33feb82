import { Dispatcher } from "@fairlead/dispatcher";
import { SlotControl } from "@fairlead/slot";
import { CommonCellsOfControl, SharedStats } from "@fairlead/stat-cells";
import type { ClusterStatus } from "../cluster/cluster-status.ts";
import type { DataPlane, DataPlaneOptions } from "../data-plane.ts";
import { systemResolve } from "../cluster/dns-hosts.ts";
import type { DrainOptions } from "../drain-options.ts";
import type { ListenerStatus } from "../listener/listener-status.ts";
import { DEFAULT_DRAIN_TIMEOUT_MS, ProxyRuntime } from "../proxy-runtime.ts";
import { processNow } from "../watchdog/thread-beats.ts";
import { killOf, Watchdog } from "../watchdog/watchdog.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";
import { AddressChecks } from "./address-checks.ts";
import { GroupListeners } from "./group-listeners.ts";
import { HostReports, noteOutcome } from "./host-reports.ts";
import { HostTotals } from "./host-totals.ts";
import {
  acceptSlot,
  closeTask,
  drainTask,
  giveUpTask,
  healthSlot,
  type Outcome,
  reopenLogsTask,
  type WorkerEvent,
  type WorkerStart,
} from "./messages.ts";
import { HostResolution } from "./resolved-hosts.ts";
import { ResourcesInForce } from "./resources-in-force.ts";
import { StuckWorkers } from "./stuck-workers.ts";
import { acceptedResources, resourcesInForce, uniteRejections } from "./worker-answers.ts";
import { WorkerConfiguration } from "./worker-configuration.ts";
import { WorkerCrew } from "./worker-crew.ts";
import { DEFAULT_PATIENCE_MS, WorkerOrders } from "./worker-orders.ts";
import { SocketsForWorkers } from "./worker-sockets.ts";

export interface WorkerGroupOptions extends DataPlaneOptions {
  readonly concurrency: number;
}

/**
 * A proxy in several threads. The control thread has the configuration as one thread would, but accepts nothing: it decides what is
 * wanted, resolves names and checks hosts. Each worker has all of it once more, listens on the same addresses, and owns its
 * connections for life.
 *
 * ```
 *   ADS ─▶ WorkerGroup ─▶ ProxyRuntime of the control thread (accepts nothing)
 *               │ bytes of the resources
 *               ├─▶ worker 0: ProxyRuntime ◀── connections (SO_REUSEPORT: the system spreads them)
 *               └─▶ worker 1: ProxyRuntime ◀──
 *                      └──── counters in shared memory ────▶ /stats
 * ```
 */
export class WorkerGroup implements DataPlane {
  readonly #options: WorkerGroupOptions;
  readonly #threads: number;
  readonly #stats: SharedStats;
  readonly #common: CommonCellsOfControl;
  readonly #control: SlotControl;
  readonly #addresses: AddressChecks | SocketsForWorkers;
  readonly #reports: HostReports;
  readonly #runtime: ProxyRuntime;
  readonly #watchdog: Watchdog;
  readonly #crew: WorkerCrew;
  readonly #stuck: StuckWorkers;
  readonly #orders: WorkerOrders;
  readonly #configuration: WorkerConfiguration;
  readonly #listeners: GroupListeners;
  /** What the control thread does later: told after what has begun, and not any more once it is closed. */
  readonly #dispatcher = new Dispatcher();
  readonly #hostTotals = new HostTotals();
  readonly #inForce = new ResourcesInForce();
  /** One update after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: WorkerGroupOptions) {
    this.#options = options;
    this.#threads = options.concurrency + 1;
    const { logger, workerPatienceMs = DEFAULT_PATIENCE_MS } = options;
    this.#control = new SlotControl({ patienceMs: workerPatienceMs });
    this.#orders = new WorkerOrders(this.#control, workerPatienceMs, logger, (answer) =>
      this.#listeners.take([answer]),
    );
    this.#stats = new SharedStats(this.#threads);
    this.#common = new CommonCellsOfControl(this.#threads);
    this.#watchdog = new Watchdog(this.#threads, { kill: killOf(options) });
    const onFailure = (error: unknown): void => options.logger.error({ err: error }, "workers were not told of hosts");
    this.#addresses =
      options.sockets === undefined
        ? new AddressChecks()
        : new SocketsForWorkers(options.sockets, options.concurrency, () => this.#accept());
    this.#reports = new HostReports(this.#control, onFailure);
    const resolution = new HostResolution(this.#control, options.resolveName ?? systemResolve, onFailure);
    this.#runtime = new ProxyRuntime({
      logger: options.logger,
      nodeId: options.nodeId,
      unknownFields: options.unknownFields,
      now: processNow(),
      stats: this.#stats,
      common: this.#common,
      sockets: this.#addresses,
      watchNames: resolution.watch,
      onHealth: this.#reports.onHealth,
      overload: options.overload,
      loopDelayMs: () => this.#watchdog.beats.delayMs(0),
    });
    this.#crew = new WorkerCrew({
      control: this.#control,
      threads: this.#threads,
      logger: options.logger,
      start: (thread) => this.#startOf(thread),
      onEvent: (thread, event) => this.#onEvent(thread, event),
      onGone: (thread) => this.#forget(thread),
      restore: (thread) => this.#restore(thread),
      catchUp: (thread) => this.#catchUp(thread),
      onFailure: options.onFailure,
    });
    this.#listeners = new GroupListeners(() => this.#runtime.listeners(), this.#crew);
    this.#runtime.onListenersChanged(() => this.#listeners.tell());
    this.#configuration = new WorkerConfiguration({
      crew: this.#crew,
      orders: this.#orders,
      inForce: this.#inForce,
      reports: this.#reports,
      stats: this.#stats,
      common: this.#common,
      addresses: this.#addresses,
    });
    this.#stuck = new StuckWorkers({
      threads: this.#threads,
      isStuck: (thread) => this.#crew.isBehind(thread) || this.#watchdog.silentMs(thread) > workerPatienceMs,
      logger,
    });
  }

  /** As `ProxyRuntime.apply`; it has come into force when all workers have answered, but for those that are stuck. */
  apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    return this.#inTurn(async () => {
      const own = await this.#runtime.apply(typeUrl, resources);
      const before = this.#inForce.of(typeUrl);
      const accepted = acceptedResources(resources, own, before);
      const inForce = resourcesInForce(accepted, before, this.#runtime.wantedNames(typeUrl));
      this.#inForce.set(typeUrl, inForce, this.#crew.late);
      const answers = await this.#configuration.apply(typeUrl, accepted);
      this.#listeners.take(answers);
      return uniteRejections(own, ...answers.map(({ rejections }) => rejections));
    });
  }

  wantedNames(typeUrl: string): readonly string[] | undefined {
    return this.#runtime.wantedNames(typeUrl);
  }

  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    return this.#runtime.onWantedNamesChanged(listener);
  }

  clustersInitialized(): boolean {
    return this.#runtime.clustersInitialized();
  }

  onClustersInitialized(listener: () => void): void {
    this.#runtime.onClustersInitialized(listener);
  }

  giveUpOn(typeUrl: string): void {
    void this.#inTurn(async () => {
      this.#runtime.giveUpOn(typeUrl);
      await this.#orders.run(giveUpTask, typeUrl);
    });
  }

  stuckWorkers(): readonly string[] {
    return this.#stuck.names;
  }

  listeners(): readonly ListenerStatus[] {
    return this.#listeners.statuses();
  }

  onListenersChanged(listener: () => void): () => void {
    return this.#listeners.onChanged(listener);
  }

  routeFor(...asked: Parameters<ProxyRuntime["routeFor"]>): ReturnType<ProxyRuntime["routeFor"]> {
    return this.#listeners.isActive(asked[0]) ? this.#runtime.routeFor(...asked) : undefined;
  }

  activeRequests(cluster: string): number {
    return this.#runtime.activeRequests(cluster);
  }

  whenIdle(cluster: string, wait: Parameters<ProxyRuntime["whenIdle"]>[1]): Promise<boolean> {
    return this.#runtime.whenIdle(cluster, wait);
  }

  configDump(): ReturnType<ProxyRuntime["configDump"]> {
    return this.#runtime.configDump();
  }

  certificates(): ReturnType<ProxyRuntime["certificates"]> {
    return this.#runtime.certificates();
  }

  missingSecrets(): readonly string[] {
    return this.#runtime.missingSecrets();
  }

  clusterStats(): readonly ClusterStatus[] {
    return this.#hostTotals.complete(this.#runtime.clusterStats());
  }

  stats(): ReadonlyMap<string, number> {
    const stats = new Map([...this.#runtime.stats(), ...this.#watchdog.stats()]);
    stats.set("server.concurrency", this.#options.concurrency);
    stats.set("server.worker_crashed", this.#crew.crashed);
    stats.set("server.workers_stuck", this.#stuck.names.length);
    return stats;
  }

  histograms(): ReturnType<ProxyRuntime["histograms"]> {
    return this.#runtime.histograms();
  }

  async reopenLogs(): Promise<void> {
    await this.#orders.run(reopenLogsTask, undefined);
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    // What is being applied comes before it; a second drain, and what is applied then, need not wait for the first.
    await this.#inTurn(async () => undefined);
    const { drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = this.#options;
    await Promise.all([this.#runtime.drain(options), this.#orders.run(drainTask, options, drainTimeoutMs)]);
  }

  #accept(): void {
    this.#orders.set(acceptSlot, undefined, "that they may accept");
  }

  failHealthCheck(failed: boolean): void {
    this.#orders.set(healthSlot, { failed }, "of the health check");
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#crew.beginClose();
    this.#stuck.close();
    this.#dispatcher.exit();
    await this.#orders.run(closeTask, undefined).catch(() => undefined);
    await this.#crew.close();
    this.#watchdog.close();
    await this.#runtime.close();
  }

  #startOf(thread: number): Omit<WorkerStart, "events"> {
    const { nodeId, drainTimeoutMs, maxConnections, overload, zone, accessLogTargets = [], modules } = this.#options;
    return {
      unknownFields: this.#options.unknownFields === "ignore" ? "ignore quietly" : "refuse",
      thread,
      threads: this.#threads,
      nodeId,
      drainTimeoutMs,
      maxConnections,
      handsSockets: this.#addresses instanceof SocketsForWorkers,
      overload,
      zone,
      accessLogTargets,
      modules: modules?.() ?? [],
      blocks: this.#stats.all(),
      commonCells: this.#common.all(),
      beats: this.#watchdog.beats.memory,
    };
  }

  #onEvent(thread: number, event: WorkerEvent): void {
    if (event.kind === "log") this.#options.logger[event.level](event.facts, event.message);
    else if (event.kind === "cell named") this.#stats.noteName(thread, event.key, event.cell, event.name);
    else if (event.kind === "outcomes") this.#noteOutcomes(event.outcomes);
    else if (event.kind === "hosts") this.#hostTotals.take(thread, event.hosts);
    else this.#listeners.take([{ thread, report: event.report }]);
  }

  #noteOutcomes(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) noteOutcome(this.#runtime.hostOf(outcome[0], outcome[1]), outcome);
  }

  #forget(thread: number): void {
    this.#listeners.forget(thread);
    this.#inForce.forget(thread);
    this.#hostTotals.forget(thread);
    this.#watchdog.beats.forget(thread);
    this.#stats.endOf(thread);
    this.#common.endOf(thread);
  }

  /** Of one that is started again. */
  async #restore(thread: number): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#addresses instanceof SocketsForWorkers) await this.#addresses.renew(thread);
      await this.#configuration.bringUpToDate(thread);
    });
    this.#dispatcher.post(() => this.#listeners.tell());
  }

  /** Of one that was late. */
  async #catchUp(thread: number): Promise<void> {
    await this.#inTurn(async () => {
      const name = this.#inForce.cameBack(thread);
      if (name !== undefined)
        this.#crew.replace(thread, `it was stuck while ${name} was changed or removed, and came back`);
      else if (this.#crew.linkOf(thread)?.resume() === true) await this.#configuration.bringUpToDate(thread);
    });
    this.#dispatcher.post(() => this.#listeners.tell());
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    // Not before there is something to do: what the threads import must be there then.
    this.#crew.begin();
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
