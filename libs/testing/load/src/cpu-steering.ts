import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { SteadyLoad } from "./steady-load.ts";

/** USER_HZ, in which Linux counts for processes whatever its own clock is. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 250;
/** How far a pause goes in one step: a start that compiles its code must not end the load. */
const STEP = 1.4;
/** Where the machine does not give the share, more load would only take what others need, as a process that starts. */
const MIN_PAUSE_MS = 3;
const MAX_PAUSE_MS = 200;

export interface CpuSteeringOptions {
  /** The process that is loaded; another one from the moment at which it takes over. */
  readonly pid: () => number;
  /** What it shall use, as a share of one core. */
  readonly share: number;
}

interface Reading {
  readonly pid: number;
  readonly cpuMs: number;
  readonly atMs: number;
}

/** CPU time of all threads of a process as the system counts it; undefined when it is gone. */
function read(pid: number): Reading | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name, which may hold anything: utime and stime are fields 14 and 15 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const cpuMs = ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    return { pid, cpuMs, atMs: performance.now() };
  } catch {
    return undefined;
  }
}

/** Lengthens and shortens the pauses of a load until a process uses a given share of a core, and goes on with that. */
export class CpuSteering implements Disposable {
  readonly #load: SteadyLoad;
  readonly #options: CpuSteeringOptions;
  readonly #timer: NodeJS.Timeout;
  #last: Reading | undefined;
  #cpuMs = 0;
  #wallMs = 0;

  constructor(load: SteadyLoad, options: CpuSteeringOptions) {
    this.#load = load;
    this.#options = options;
    this.#last = read(options.pid());
    this.#timer = setInterval(() => this.#step(), SAMPLE_MS);
  }

  /** What the process has used since the last reset, as a share of one core. */
  get average(): number {
    return this.#cpuMs / this.#wallMs;
  }

  /** Forgets what was, as the time that the load took to get there. */
  reset(): void {
    this.#cpuMs = 0;
    this.#wallMs = 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const last = this.#last;
    const now = read(this.#options.pid());
    this.#last = now;
    if (now === undefined || last?.pid !== now.pid) return;
    const cpuMs = now.cpuMs - last.cpuMs;
    const wallMs = now.atMs - last.atMs;
    this.#cpuMs += cpuMs;
    this.#wallMs += wallMs;
    const factor = cpuMs / wallMs / this.#options.share;
    const pause = this.#load.pauseMs * Math.min(STEP, Math.max(1 / STEP, factor));
    this.#load.pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pause));
  }
}
