import { inspect } from "node:util";
import { collectStartGarbage } from "@fairlead/dispatcher";
import { SlotWorker } from "@fairlead/slot";
import { CommonCellsOfThread, SharedStatsOfThread } from "@fairlead/stat-cells";
import { defaultAccessLog } from "../access-log/access-log.ts";
import { ProxyRuntime } from "../proxy-runtime.ts";
import type { RuntimeLogger } from "../runtime-options.ts";
import { anyPortKey } from "./address-checks.ts";
import { HostReportsOfControl } from "./host-reports.ts";
import {
  acceptSlot,
  type ApplyAnswer,
  type ApplyArgument,
  applyTask,
  closeTask,
  drainTask,
  giveUpTask,
  healthSlot,
  hostReportsSlot,
  reopenLogsTask,
  resolvedHostsSlot,
  type WorkerEvent,
  type WorkerStart,
} from "./messages.ts";
import { UnpackedResources } from "./packed-resources.ts";
import type { ListenersReport } from "./reported-listeners.ts";
import { HostsOfControl } from "./resolved-hosts.ts";
import { SocketsOfControl } from "./worker-sockets.ts";
import { beginBeat, processNow, ThreadBeats } from "../watchdog/thread-beats.ts";

const TELL_HOSTS_MS = 1000;

/** A worker: a proxy of its own that does what the control thread says. Ready to take messages when it is made. */
export class WorkerRuntime {
  readonly #start: WorkerStart;
  readonly #runtime: ProxyRuntime;
  readonly #stats: SharedStatsOfThread;
  readonly #common: CommonCellsOfThread;
  readonly #resources = new Map<string, UnpackedResources>();
  readonly #ended: (() => void)[] = [];
  #toldHosts: ReadonlyMap<string, string> = new Map();
  readonly #sockets = new SocketsOfControl();
  #ports: ReadonlyMap<string, number> = new Map();
  #collected = false;
  #reports = 0;

  constructor(start: WorkerStart, worker: SlotWorker) {
    this.#start = start;
    this.#stats = new SharedStatsOfThread(start.thread, (key, cell, name) =>
      this.#tell({ kind: "cell named", key, cell, name }),
    );
    this.#stats.add(start.blocks);
    this.#common = new CommonCellsOfThread(start.thread);
    this.#common.add(start.commonCells);
    const beats = new ThreadBeats(start.beats);
    const hosts = new HostsOfControl();
    const reports = new HostReportsOfControl((outcomes) => this.#tell({ kind: "outcomes", outcomes }));
    this.#ended.push(() => reports.close());
    this.#runtime = new ProxyRuntime({
      logger: this.#logger(),
      nodeId: start.nodeId,
      unknownFields: start.unknownFields,
      now: processNow(),
      stats: this.#stats,
      common: this.#common,
      reusePort: true,
      ...(start.handsSockets ? { sockets: this.#sockets } : {}),
      portOf: (request) => this.#ports.get(anyPortKey(request)),
      watchNames: hosts.watch,
      reporter: reports,
      overload: start.overload,
      zone: start.zone,
      loopDelayMs: () => beats.delayMs(start.thread),
      accessLogs: start.accessLogTargets.map(defaultAccessLog),
      ...(start.drainTimeoutMs === undefined ? {} : { drainTimeoutMs: start.drainTimeoutMs }),
      ...(start.maxConnections === undefined ? {} : { maxConnections: start.maxConnections }),
    });
    worker.open(resolvedHostsSlot, { initial: undefined, build: (found) => hosts.take(found) });
    worker.open(hostReportsSlot, { initial: undefined, build: (found) => reports.take(found) });
    worker.handle(applyTask, (argument) => this.#apply(argument));
    worker.handle(giveUpTask, (typeUrl) => this.#runtime.giveUpOn(typeUrl));
    worker.open(acceptSlot, { initial: undefined, build: () => this.#sockets.accept() });
    worker.open(healthSlot, { initial: undefined, build: ({ failed }) => this.#runtime.failHealthCheck(failed) });
    worker.handle(drainTask, (options) => this.#runtime.drain(options));
    worker.handle(reopenLogsTask, () => this.#runtime.reopenLogs());
    worker.handle(closeTask, () => this.#close());
    this.#ended.push(
      beginBeat(beats, start.thread),
      this.#runtime.onListenersChanged(() => this.#tell({ kind: "listeners", report: this.#report() })),
    );
    const timer = setInterval(() => this.#tellHosts(), TELL_HOSTS_MS);
    timer.unref();
    this.#ended.push(() => clearInterval(timer));
  }

  async #apply({ typeUrl, resources, blocks, commonCells, ports, sockets }: ApplyArgument): Promise<ApplyAnswer> {
    this.#sockets.add(sockets.get(this.#start.thread) ?? new Map());
    this.#stats.add(blocks);
    this.#common.add(commonCells);
    this.#ports = ports;
    const known = this.#resources.get(typeUrl) ?? new UnpackedResources();
    this.#resources.set(typeUrl, known);
    const rejections = await this.#runtime.apply(typeUrl, known.take(resources));
    this.#collectOnce();
    return { thread: this.#start.thread, rejections, report: this.#report() };
  }

  #report(): ListenersReport {
    return { number: ++this.#reports, listeners: this.#runtime.listeners() };
  }

  /** When it has begun to serve. The control thread waits for the answer to what made it serve: nobody is told of it before. */
  #collectOnce(): void {
    if (this.#collected || !this.#runtime.listeners().some(({ state }) => state === "active")) return;
    this.#collected = true;
    collectStartGarbage();
  }

  async #close(): Promise<void> {
    for (const end of this.#ended.splice(0)) end();
    await this.#runtime.close();
  }

  /** Only those that changed. */
  #tellHosts(): void {
    const told = new Map<string, string>();
    const hosts = this.#runtime.hostCounts().filter((counts) => {
      const { cluster, host, activeRequests, totalRequests, connections, idleConnections } = counts;
      const key = `${cluster} ${host}`;
      told.set(key, `${activeRequests} ${totalRequests} ${connections} ${idleConnections}`);
      return told.get(key) !== this.#toldHosts.get(key);
    });
    this.#toldHosts = told;
    if (hosts.length > 0) this.#tell({ kind: "hosts", hosts });
  }

  #logger(): RuntimeLogger {
    const worker = this.#start.thread - 1;
    const log = (level: keyof RuntimeLogger) => (facts: object, message: string) => {
      try {
        this.#tell({ kind: "log", level, facts: { worker, ...facts }, message });
      } catch {
        // Something of it cannot be passed to another thread.
        this.#tell({ kind: "log", level, facts: { worker, facts: inspect(facts, { depth: 2 }) }, message });
      }
    };
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  }

  #tell(event: WorkerEvent): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#start.events.postMessage(event);
  }
}
