import type { DiscoveryCall } from "./discovery-call.ts";

export interface ResponseWriterOptions {
  /** Time for the other end to take what was written. ms */
  readonly timeoutMs: number;
  /** Everything was taken. */
  readonly onDrain: () => void;
  readonly onTimeout: () => void;
}

/** More than this and nothing further is written until all is taken. */
const maxUntakenBytes = 256 * 1024;

/** Writes to one stream, and knows what the other end has not taken: HTTP/2 flow control shows in the write's callback. */
export class ResponseWriter {
  readonly #call: DiscoveryCall;
  readonly #options: ResponseWriterOptions;
  #untakenBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];
  #closed = false;

  constructor(call: DiscoveryCall, options: ResponseWriterOptions) {
    this.#call = call;
    this.#options = options;
  }

  get clogged(): boolean {
    return this.#untakenBytes > maxUntakenBytes;
  }

  write(bytes: Buffer): void {
    if (this.#closed) return;
    this.#untakenBytes += bytes.byteLength;
    this.#timer ??= setTimeout(this.#options.onTimeout, this.#options.timeoutMs);
    this.#call.write(bytes, () => this.#taken(bytes.byteLength));
  }

  #taken(bytes: number): void {
    if (this.#closed) return;
    this.#untakenBytes -= bytes;
    clearTimeout(this.#timer);
    this.#timer = this.#untakenBytes === 0 ? undefined : setTimeout(this.#options.onTimeout, this.#options.timeoutMs);
    if (this.#untakenBytes > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
    this.#options.onDrain();
  }

  /** Resolves when everything was taken, the stream is over, or the time is. */
  async drainedWithin(timeMs: number): Promise<void> {
    if (this.#untakenBytes === 0 || this.#closed) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, timeMs);
      this.#drained.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Nothing is written any more; what was written still goes out, within the time-out. */
  finish(): void {
    this.#timer ??= setTimeout(this.#options.onTimeout, this.#options.timeoutMs);
  }

  /** The stream is over. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
