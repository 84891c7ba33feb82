import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { FairleadError } from "@fairlead/errors";
import { logTail } from "./log-tail.ts";
import { siblingScript } from "./scripts.ts";
import "../errors.ts";

/** How long a process may take to stop before it is killed. */
const stopDeadlineMs = 15_000;

export interface ManagedProcessOptions {
  /** As people call it; also the log file's name. */
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  /** For Node itself. @default none */
  readonly nodeArguments?: readonly string[];
  /** On top of the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFolder: string;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A Node process of the mesh. Its output goes to a file that outlives it. It is the leader of its own session, so that a
 * Ctrl-C in the terminal reaches only `up`, which stops things in order; and it ends when `up` does (end-with-parent.ts).
 */
export class ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #options: ManagedProcessOptions;
  #child: ChildProcess | undefined;
  #end: Promise<ProcessEnd> = Promise.resolve({ code: 0, signal: null });
  #endingOnPurpose = false;
  #startedBefore = false;
  #onCrash: (end: ProcessEnd) => void = () => undefined;

  constructor(options: ManagedProcessOptions) {
    this.name = options.name;
    this.logFile = join(options.logFolder, `${options.name.replaceAll(/[^A-Za-z0-9.]+/g, "-")}.log`);
    this.#options = options;
  }

  /** `listener` is called when the process ends without having been asked to. */
  onCrash(listener: (end: ProcessEnd) => void): void {
    this.#onCrash = listener;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Settles when the current run ends. */
  get ended(): Promise<ProcessEnd> {
    return this.#end;
  }

  /** @param furtherArgs of this run alone, after those of all runs */
  start(furtherArgs: readonly string[] = []): void {
    // The log of an earlier `up` is replaced, that of an earlier run in this one is continued.
    const log = openSync(this.logFile, this.#startedBefore ? "a" : "w", 0o600);
    this.#startedBefore = true;
    this.#endingOnPurpose = false;
    const preload = siblingScript(import.meta.url, "./end-with-parent");
    const { script, args = [], nodeArguments = [] } = this.#options;
    const child = spawn(process.execPath, [...nodeArguments, "--import", preload, script, ...args, ...furtherArgs], {
      env: { ...process.env, ...this.#options.environment },
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#end = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.#child !== child) return;
        this.#child = undefined;
        resolve({ code, signal });
        if (!this.#endingOnPurpose) this.#onCrash({ code, signal });
      };
      child.once("exit", ended);
      child.once("error", () => ended(null, null));
    });
  }

  /** The first thing that the process says to `up`. @throws FairleadError FL_UP_PROCESS_ENDED when it ends before */
  async message(): Promise<unknown> {
    const child = this.#child;
    if (child === undefined) throw await this.crashError({ code: null, signal: null });
    const waiting = new AbortController();
    try {
      const said = once(child, "message", { signal: waiting.signal }).then(([message]: unknown[]) => ({ message }));
      const first = await Promise.race([said, this.#end.then((end) => ({ end }))]);
      if ("end" in first) throw await this.crashError(first.end);
      return first.message;
    } finally {
      waiting.abort();
    }
  }

  /** Ends the process, with SIGKILL when it takes more than 15 s. Nothing happens when it does not run. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<ProcessEnd> {
    const child = this.#child;
    if (child === undefined) return await this.#end;
    this.#endingOnPurpose = true;
    child.kill(signal);
    const killing = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
    const end = await this.#end;
    clearTimeout(killing);
    return end;
  }

  /** What to tell people about an end that nobody asked for. */
  async crashError(end: ProcessEnd): Promise<FairleadError> {
    const how = end.signal === null ? `with exit code ${end.code ?? "unknown"}` : `by ${end.signal}`;
    const tail = await logTail(this.logFile);
    const words =
      tail.length === 0 ? "It wrote nothing." : `Its last lines:\n${tail.map((line) => `    ${line}`).join("\n")}`;
    return new FairleadError(
      "FL_UP_PROCESS_ENDED",
      `${this.name} ended ${how}. ${words}\n  All of its log: ${this.logFile}`,
      {
        facts: { process: this.name, exitCode: end.code, signal: end.signal, logFile: this.logFile },
      },
    );
  }
}
