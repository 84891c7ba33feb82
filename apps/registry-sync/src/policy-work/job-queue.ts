import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type ErrorFacts, FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";
import type { Job, JobAnswer, JobResults, ThreadData, ThreadMessage } from "./jobs.ts";
import { watchBuffers } from "./buffer-watch.ts";
import "../errors.ts";

export interface JobQueueOptions extends ThreadData {
  /** Of one job; the thread is ended then. */
  readonly timeoutMs: number;
  /** Of the thread's heap; and as much, beside it, of its buffers. */
  readonly maxMemoryMb: number;
  /** Jobs that wait for their turn; more get FL_OVERLOADED. */
  readonly maxWaiting: number;
  /** A thread without work is ended after this time. @default 60 s */
  readonly idleMs?: number;
}

/** For a thread to load its code, on a machine that is busy. */
const startTimeoutMs = 30_000;

interface Entry {
  readonly job: Job;
  readonly resolve: (result: JobResults[Job["kind"]]) => void;
  readonly reject: (error: FairleadError) => void;
}

/** Runs jobs one after the other in a thread of its own, which begins with the first one and ends when there is nothing to do. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #waiting = new Set<Entry>();
  #running: Entry | undefined;
  #thread: Worker | undefined;
  /** Of the job that runs; without one, until the thread is not needed any more. */
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  /**
   * @param signal nobody wants the result any more: a job that has not begun is dropped
   * @throws FairleadError FL_OVERLOADED, FL_POLICY_WORK_LIMIT, and what the job throws
   */
  async run<Kind extends Job["kind"]>(job: Job & { kind: Kind }, signal?: AbortSignal): Promise<JobResults[Kind]> {
    const { maxWaiting } = this.#options;
    if (this.#stopped) throw new FairleadError("FL_OVERLOADED", "registry-sync is stopping");
    if (this.#running !== undefined && this.#waiting.size >= maxWaiting) {
      throw new FairleadError(
        "FL_OVERLOADED",
        `${maxWaiting} requests wait for their turn already; nothing was changed`,
        {
          facts: { maxWaiting },
        },
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<JobResults[Job["kind"]]>();
    const entry: Entry = { job, resolve, reject };
    this.#waiting.add(entry);
    const drop = () => {
      if (this.#waiting.delete(entry)) reject(new FairleadError("FL_OVERLOADED", "the client has gone"));
    };
    signal?.addEventListener("abort", drop, { once: true });
    this.#next();
    try {
      return (await promise) as JobResults[Kind];
    } finally {
      signal?.removeEventListener("abort", drop);
    }
  }

  /** Ends the thread; what has not been done is refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const entries = [...(this.#running === undefined ? [] : [this.#running]), ...this.#waiting];
    this.#waiting.clear();
    this.#running = undefined;
    for (const { reject } of entries) reject(new FairleadError("FL_OVERLOADED", "registry-sync is stopping"));
    await this.#end();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    clearTimeout(this.#timer);
    const [entry] = this.#waiting;
    if (entry === undefined) {
      this.#timer = setTimeout(() => void this.#end(), this.#options.idleMs ?? 60_000).unref();
      return;
    }
    this.#waiting.delete(entry);
    this.#running = entry;
    // The time of a job does not begin before its thread can work.
    this.#limit(this.#thread === undefined ? startTimeoutMs : this.#options.timeoutMs);
    this.#thread ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage(entry.job);
  }

  #limit(timeMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#give(limitReached(`it was not done after ${timeMs} ms`)), timeMs);
  }

  #start(): Worker {
    const { databaseUrl, maxMemoryMb } = this.#options;
    const thread = new Worker(new URL(`./thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: { databaseUrl } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb },
    });
    const stopWatching = watchBuffers(thread, maxMemoryMb * 1024 * 1024, () => {
      if (this.#thread === thread)
        this.#give(limitReached(`its buffers take more than the ${maxMemoryMb} MiB of memory that they may`));
    });
    thread.once("exit", stopWatching);
    thread.on("message", (message: ThreadMessage) => {
      if (this.#thread !== thread) return;
      if (message !== "ready") this.#done(message);
      else if (this.#running !== undefined) this.#limit(this.#options.timeoutMs);
    });
    // What is not one job's own failure ends the thread.
    thread.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#thread !== thread) return;
      const isFull = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      this.#give(isFull ? limitReached("it needs more memory than it may have") : FairleadError.from(error));
    });
    thread.unref();
    return thread;
  }

  #done(answer: JobAnswer): void {
    const entry = this.#running;
    this.#running = undefined;
    if ("result" in answer) entry?.resolve(answer.result);
    else entry?.reject(errorOf(answer.error));
    this.#next();
  }

  /** Gives the job up that runs, and its thread with it: nothing else ends what it does. */
  #give(error: FairleadError): void {
    const entry = this.#running;
    this.#running = undefined;
    void this.#end();
    entry?.reject(error);
    this.#next();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}

function errorOf({ meaning, ...error }: Extract<JobAnswer, { error: object }>["error"]): FairleadError {
  const code = error.code as `FL_${string}`;
  const facts = error.facts as ErrorFacts;
  // What nobody foresaw stays in the log.
  if (meaning === undefined || code === "FL_INTERNAL") return new FairleadError(code, error.message, { facts });
  return new RelayedError({ code, message: error.message, facts, status: meaning.httpStatus, action: meaning.action });
}

function limitReached(reason: string): FairleadError {
  return new FairleadError("FL_POLICY_WORK_LIMIT", `the work on the policies was given up: ${reason}`);
}
