import type { Socket } from "node:net";
import { flushSoon } from "../flush-list.ts";
import { SocketWriter } from "../socket-writer.ts";

/** What a connection's codec gives out and wants to know about it. */
export interface FrameSource {
  takeOutput(): Buffer[];
  onOutputTaken(blocked: boolean, empty: boolean): void;
}

/** Gives what all streams of a connection send in one tick to its socket as one write. */
export class FrameOutput {
  readonly #writer: SocketWriter;
  #source: FrameSource | undefined;
  #scheduled = false;
  readonly #onFlushed: () => void;

  /** @param onFlushed after each write: time to see what the codec thinks of it */
  constructor(socket: Socket, highWatermarkBytes: number | undefined, onFlushed: () => void) {
    this.#onFlushed = onFlushed;
    this.#writer = new SocketWriter(
      socket,
      {
        // The codec hears it after each write.
        onWriteBlocked: () => undefined,
        onWritable: () => this.#source?.onOutputTaken(false, this.#writer.unsentBytes === 0),
      },
      highWatermarkBytes,
    );
  }

  /** What the system has not taken yet. */
  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  attach(source: FrameSource): void {
    this.#source = source;
  }

  /** There is output: it goes out at the end of the tick, unless `flush` comes first. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    flushSoon(this);
  }

  flush(): void {
    this.#scheduled = false;
    const source = this.#source;
    if (source === undefined) return;
    const parts = source.takeOutput();
    if (parts.length === 0) return;
    this.#writer.writeNow(parts);
    source.onOutputTaken(this.#writer.blocked, this.#writer.unsentBytes === 0);
    this.#onFlushed();
  }
}
