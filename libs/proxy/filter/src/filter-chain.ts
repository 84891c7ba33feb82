import type { RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { StreamFilter } from "./stream-filter.ts";

/** Where a request goes after the last filter. */
export interface ChainEnd {
  onRequestHead(head: RequestHead, endStream: boolean): void;
  onRequestData(chunk: Buffer, endStream: boolean): void;
}

/** The filters of one stream. */
export class FilterChain {
  readonly #filters: readonly StreamFilter[];
  readonly #end: ChainEnd;
  #head: RequestHead | undefined;
  #headEnds = false;
  /** The filter that stopped the request; -1 while it runs. */
  #stoppedAt = -1;
  /** What came while stopped: bounded, as the client is not read from meanwhile. */
  #held: { readonly chunk: Buffer; readonly end: boolean }[] = [];

  constructor(filters: readonly StreamFilter[], end: ChainEnd) {
    this.#filters = filters;
    this.#end = end;
  }

  get stopped(): boolean {
    return this.#stoppedAt !== -1;
  }

  onRequestHead(head: RequestHead, endStream: boolean): void {
    this.#head = head;
    this.#headEnds = endStream;
    this.#runHead(0);
  }

  onRequestData(chunk: Buffer, endStream: boolean): void {
    if (this.stopped) {
      this.#held.push({ chunk, end: endStream });
      return;
    }
    for (const filter of this.#filters) filter.onRequestData?.(chunk, endStream);
    this.#end.onRequestData(chunk, endStream);
  }

  continueRequest(): void {
    if (!this.stopped) return;
    const next = this.#stoppedAt + 1;
    this.#stoppedAt = -1;
    this.#runHead(next);
    const held = this.#held;
    this.#held = [];
    for (const { chunk, end } of held) this.onRequestData(chunk, end);
  }

  onResponseHead(head: ResponseHead, endStream: boolean): void {
    for (let i = this.#filters.length - 1; i >= 0; i--) this.#filters[i]?.onResponseHead?.(head, endStream);
  }

  onResponseData(chunk: Buffer, endStream: boolean): void {
    for (let i = this.#filters.length - 1; i >= 0; i--) this.#filters[i]?.onResponseData?.(chunk, endStream);
  }

  destroy(): void {
    this.#held = [];
    for (const filter of this.#filters) filter.onDestroy?.();
  }

  #runHead(from: number): void {
    const head = this.#head;
    if (head === undefined) return;
    for (let i = from; i < this.#filters.length; i++) {
      if (this.#filters[i]?.onRequestHead?.(head, this.#headEnds) === "stop") {
        this.#stoppedAt = i;
        return;
      }
    }
    this.#end.onRequestHead(head, this.#headEnds);
  }
}
