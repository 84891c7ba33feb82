import { type ChildProcess, fork } from "node:child_process";
import type { FromEpoch, FromSupervisor } from "./messages.ts";
import type { RawHandle } from "./raw-handle.ts";

export interface EpochProgram {
  /** The module that is run. */
  readonly main: string;
  readonly arguments?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Of Node itself. @default those of the supervisor */
  readonly nodeArguments?: readonly string[];
}

/** How a process ended. */
export interface EpochEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** warming → serving → retired; from each it may end. */
export type EpochState = "warming" | "serving" | "retired";

/** A process that serves, as its supervisor sees it. */
export class Epoch {
  readonly number: number;
  readonly startedAtMs = Date.now();
  state: EpochState = "warming";
  /** Its start has succeeded. */
  isUp = false;
  /** What it said last that it waits for. */
  waitingFor: readonly string[] = [];
  /** It is to end: its end is nobody's surprise. */
  endsAsAsked = false;
  readonly ended: Promise<EpochEnd>;
  readonly #process: ChildProcess;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(number: number, program: EpochProgram, onMessage: (message: FromEpoch, epoch: Epoch) => void) {
    this.number = number;
    this.#process = fork(program.main, [...(program.arguments ?? []), `--epoch=${number}`], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Away from the terminal's signals: the supervisor tells it when to stop.
      detached: true,
      env: program.environment ?? process.env,
      ...(program.nodeArguments === undefined ? {} : { execArgv: [...program.nodeArguments] }),
    });
    this.#process.on("message", (message) => onMessage(message as FromEpoch, this));
    this.ended = new Promise((resolve) => {
      this.#process.once("error", () => resolve({ code: 1, signal: null }));
      this.#process.once("exit", (code, signal) => {
        clearTimeout(this.#endTimer);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What can no longer be sent is not missed: the process is gone. */
  send(message: FromSupervisor, handle?: RawHandle): void {
    if (!this.#process.connected) return;
    // Node sends its raw handles, too; the declared types do not say so.
    this.#process.send(message, handle as never, { keepOpen: true }, () => undefined);
  }

  /** Ends it when it has not ended itself by then. */
  endWithin(limitMs: number): void {
    this.endsAsAsked = true;
    this.#endTimer ??= setTimeout(() => this.kill(), limitMs);
  }

  kill(): void {
    this.endsAsAsked = true;
    this.#process.kill("SIGKILL");
  }
}
