import { close, open, write } from "node:fs";
import { promisify } from "node:util";

/** Where lines go: a path, or an open descriptor of the process (1 = stdout, 2 = stderr). */
export type LogTarget = string | 1 | 2;

export interface LogFileOptions {
  readonly target: LogTarget;
  /** Lines wait for so long before they are written together. @default 100 */
  readonly flushMs?: number;
  /** At so many bytes they are written at once. @default 65536 */
  readonly flushBytes?: number;
  /** Bytes that may wait for a slow disk; what comes then is dropped and counted. @default 4194304 */
  readonly maxPendingBytes?: number;
  /** Told once for each time that writing begins to fail. */
  readonly onFailure?: (error: Error) => void;
}

/** By Envoy's names, and one of ours: what was lost. */
export class LogFileStats {
  write_buffered = 0;
  write_completed = 0;
  write_failed = 0;
  write_dropped = 0;
  flushed_by_timer = 0;
  reopen_failed = 0;
  /** Bytes that wait now. */
  write_total_buffered = 0;
}

const openFile = promisify(open);
const writeFile = promisify(write);
const closeFile = promisify(close);

/** POSIX: a write of at most so many bytes to a pipe is not mixed with another's. What else the process prints goes there, too. */
const PIPE_BUF = 4096;
/** A pipe that is full, or a disk. */
const RETRY_MS = 50;
export const CLOSE_TIMEOUT_MS = 2000;

/**
 * Lines that are written together, one write at a time, so that a slow disk delays nobody.
 *
 * ```
 *   write ─▶ lines ──(time, or 64 KiB)──▶ one write under way ─▶ file
 * ```
 */
export class LogFile {
  readonly #options: Required<Omit<LogFileOptions, "onFailure">> & Pick<LogFileOptions, "onFailure">;
  readonly #stats: LogFileStats;
  #lines: string[] = [];
  /** Those that are being written, too. */
  #lineBytes = 0;
  /** Of the lines that no write has taken yet. */
  #waitingBytes = 0;
  /** Lines that a flush waits for. */
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;
  #descriptor: number | undefined;
  #working: Promise<void> | undefined;
  #failing = false;
  #closed = false;
  /** A full pipe is waited for until then. */
  #giveUpAtMs = Number.POSITIVE_INFINITY;

  constructor(options: LogFileOptions, stats: LogFileStats = new LogFileStats()) {
    this.#options = { flushMs: 100, flushBytes: 65_536, maxPendingBytes: 4 * 1024 * 1024, ...options };
    this.#stats = stats;
  }

  /** @param line with its end */
  write(line: string): void {
    // Its length in UTF-16 is what it takes here; what is not ASCII is rare and at most three times as long on disk.
    if (this.#closed || this.#lineBytes + line.length > this.#options.maxPendingBytes) {
      this.#stats.write_dropped++;
      return;
    }
    this.#lines.push(line);
    this.#lineBytes += line.length;
    this.#waitingBytes += line.length;
    this.#stats.write_total_buffered += line.length;
    this.#stats.write_buffered++;
    if (this.#waitingBytes >= this.#options.flushBytes) {
      if (this.#working === undefined) void this.flush();
    } else this.#armTimer();
  }

  #armTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#stats.flushed_by_timer++;
      void this.flush();
    }, this.#options.flushMs).unref();
  }

  /** Resolves when what waits now is written, or could not be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = this.#lines.length;
    do {
      await (this.#working ??= this.#writeAll().finally(() => {
        this.#working = undefined;
        if (this.#lines.length > 0) this.#armTimer();
      }));
    } while (this.#wanted > 0);
  }

  /** After a rotation: what comes from now on goes to the file that has the name now. */
  async reopen(): Promise<void> {
    if (typeof this.#options.target === "number") return;
    await this.flush();
    const before = this.#descriptor;
    if (before === undefined) return;
    try {
      this.#descriptor = await this.#open(this.#options.target);
    } catch (error) {
      // It goes on in the old one.
      this.#stats.reopen_failed++;
      this.#tellFailure(error);
      return;
    }
    await closeFile(before).catch(() => undefined);
  }

  /** What waits is written, if that does not take long. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#giveUpAtMs = performance.now() + CLOSE_TIMEOUT_MS;
    await this.flush();
    await this.flush();
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (typeof this.#options.target === "string" && descriptor !== undefined)
      await closeFile(descriptor).catch(() => undefined);
  }

  /** What flushes wait for, and what has become enough meanwhile. The rest waits for more: a write costs as much as a request. */
  async #writeAll(): Promise<void> {
    while (this.#wanted > 0 || this.#waitingBytes >= this.#options.flushBytes) {
      const batch = this.#take();
      const length = batch.reduce((sum, line) => sum + line.length, 0);
      this.#waitingBytes -= length;
      this.#wanted = Math.max(0, this.#wanted - batch.length);
      try {
        await this.#writeBatch(Buffer.from(batch.join("")));
        this.#stats.write_completed++;
        this.#failing = false;
      } catch (error) {
        this.#stats.write_failed++;
        this.#stats.write_dropped += batch.length;
        this.#tellFailure(error);
      }
      this.#lineBytes -= length;
      this.#stats.write_total_buffered -= length;
    }
  }

  /** All that waits; of stdout and stderr, as many whole lines as go in one piece. */
  #take(): string[] {
    const lines = this.#lines;
    if (typeof this.#options.target === "string") {
      this.#lines = [];
      return lines;
    }
    let bytes = 0;
    let count = 0;
    for (const line of lines) {
      bytes += Buffer.byteLength(line);
      if (count > 0 && bytes > PIPE_BUF) break;
      count++;
    }
    return lines.splice(0, count);
  }

  async #writeBatch(bytes: Buffer): Promise<void> {
    const { target } = this.#options;
    const descriptor = (this.#descriptor ??= typeof target === "number" ? target : await this.#open(target));
    for (let at = 0; at < bytes.length;) {
      try {
        const { bytesWritten } = await writeFile(descriptor, bytes, at);
        at += bytesWritten;
      } catch (error) {
        // A pipe that is full: its reader is slow.
        const full = error instanceof Error && "code" in error && error.code === "EAGAIN";
        if (!full || performance.now() > this.#giveUpAtMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #open(path: string): Promise<number> {
    return openFile(path, "a", 0o640);
  }

  #tellFailure(error: unknown): void {
    if (!this.#failing) this.#options.onFailure?.(error instanceof Error ? error : new Error(String(error)));
    this.#failing = true;
  }
}
