import { guardProcess } from "./process-guard.ts";
import { BEAT_MS, beginBeat, processClockMs, ThreadBeats } from "./thread-beats.ts";

/** Envoy's defaults. */
const MISS_MS = 200;
const MEGA_MISS_MS = 1000;
const LOOK_MS = 100;

interface Misses {
  miss: number;
  megaMiss: number;
}

/** One that has been silent since then, and what was counted of that. */
interface Silence {
  sinceMs: number;
  missed: boolean;
  megaMissed: boolean;
}

export interface WatchdogOptions {
  /** The process ends when a thread is stuck for so long. @default what is stuck is told only */
  readonly kill?: { readonly afterMs: number; readonly nodeId: string } | undefined;
  readonly now?: () => number;
}

/**
 * Counts how often a thread did not come to its event loop for 200 ms, and for a second. The first thread looks at the others while they
 * are stuck. Its own silence it counts when it is over: nobody could ask for the count before, as it is the one that answers.
 */
export class Watchdog {
  readonly beats: ThreadBeats;
  readonly #now: () => number;
  readonly #misses: readonly Misses[];
  readonly #silences: Silence[];
  readonly #end: () => void;
  readonly #endGuard: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param threads with the calling one, which is 0 */
  constructor(threads: number, { kill, now = processClockMs }: WatchdogOptions = {}) {
    this.#now = now;
    this.beats = new ThreadBeats(threads);
    this.#misses = Array.from({ length: threads }, () => ({ miss: 0, megaMiss: 0 }));
    this.#silences = Array.from({ length: threads }, () => ({ sinceMs: 0, missed: false, megaMissed: false }));
    this.#end = beginBeat(this.beats, 0, (lateMs) => this.onLate(lateMs));
    this.#endGuard = kill === undefined ? undefined : guardProcess(this.beats, kill.afterMs, kill.nodeId);
    if (threads > 1) {
      this.#timer = setInterval(() => this.look(), LOOK_MS);
      this.#timer.unref();
    }
  }

  close(): void {
    this.#endGuard?.();
    this.#end();
    clearInterval(this.#timer);
  }

  /** The calling thread was late. */
  onLate(lateMs: number): void {
    const own = this.#misses[0]!;
    if (lateMs + BEAT_MS > MISS_MS) own.miss++;
    if (lateMs + BEAT_MS > MEGA_MISS_MS) own.megaMiss++;
  }

  /** At the other threads. */
  look(): void {
    const now = this.#now();
    for (const [thread, silence] of this.#silences.entries()) {
      const lastMs = this.beats.lastMs(thread);
      if (thread === 0 || lastMs === 0) continue;
      if (lastMs !== silence.sinceMs) this.#silences[thread] = { sinceMs: lastMs, missed: false, megaMissed: false };
      this.#count(this.#misses[thread]!, this.#silences[thread]!, now - lastMs);
    }
  }

  /** For how long it has not come to its event loop; 0 of one that has not begun, or has ended. */
  silentMs(thread: number): number {
    const lastMs = this.beats.lastMs(thread);
    return lastMs === 0 ? 0 : this.#now() - lastMs;
  }

  /** By Envoy's names, and how late each event loop has been lately. */
  stats(): (readonly [name: string, value: number])[] {
    const stats: (readonly [string, number])[] = [];
    const workers = this.#misses.slice(1);
    const add = (prefix: string, of: readonly Misses[]): void => {
      stats.push([`${prefix}.watchdog_miss`, of.reduce((sum, { miss }) => sum + miss, 0)]);
      stats.push([`${prefix}.watchdog_mega_miss`, of.reduce((sum, { megaMiss }) => sum + megaMiss, 0)]);
    };
    add("server", this.#misses);
    add("main_thread", this.#misses.slice(0, 1));
    if (workers.length > 0) add("workers", workers);
    for (const [thread, misses] of this.#misses.entries()) {
      const prefix = `server.${thread === 0 ? "main_thread" : `worker_${thread - 1}`}`;
      add(prefix, [misses]);
      stats.push([`${prefix}.event_loop_delay_ms`, Math.round(this.beats.delayMs(thread))]);
    }
    return stats;
  }

  #count(misses: Misses, silence: Silence, silentMs: number): void {
    if (silentMs > MISS_MS && !silence.missed) {
      silence.missed = true;
      misses.miss++;
    }
    if (silentMs > MEGA_MISS_MS && !silence.megaMissed) {
      silence.megaMissed = true;
      misses.megaMiss++;
    }
  }
}

/** As a data plane is told. */
export function killOf(options: {
  readonly watchdogKillMs?: number | undefined;
  readonly nodeId: string;
}): WatchdogOptions["kill"] {
  const { watchdogKillMs: afterMs, nodeId } = options;
  return afterMs === undefined ? undefined : { afterMs, nodeId };
}
