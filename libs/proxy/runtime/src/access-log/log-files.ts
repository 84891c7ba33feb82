import { CLOSE_TIMEOUT_MS, LogFile, LogFileStats, type LogTarget } from "./log-file.ts";

/** The logs of a proxy: one file for each path, whoever writes to it. */
export class LogFiles {
  readonly stats: LogFileStats;
  readonly #files = new Map<LogTarget, LogFile>();
  readonly #onFailure: (target: LogTarget, error: Error) => void;

  constructor(onFailure: (target: LogTarget, error: Error) => void, stats = new LogFileStats()) {
    this.stats = stats;
    this.#onFailure = onFailure;
  }

  at(target: LogTarget): LogFile {
    const known = this.#files.get(target);
    if (known !== undefined) return known;
    const file = new LogFile({ target, onFailure: (error) => this.#onFailure(target, error) }, this.stats);
    this.#files.set(target, file);
    return file;
  }

  async reopen(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.reopen()));
  }

  /** What waits is written; a pipe that nobody reads does not keep the process. */
  async close(): Promise<void> {
    const closed = Promise.all([...this.#files.values()].map((file) => file.close()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
  }
}
