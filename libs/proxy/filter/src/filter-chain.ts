import type { HeaderMap, RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { FilterOverrides } from "@fairlead/proxy-router";
import type { ConfiguredFilter, StreamFilter, StreamFilterCallbacks } from "./stream-filter.ts";

/** Where a request goes after the last filter. */
export interface ChainEnd {
  onRequestHead(head: RequestHead, endStream: boolean): void;
  /** @param unshared no filter was told of the chunk, so that none can hold it */
  onRequestData(chunk: Buffer, endStream: boolean, unshared?: boolean): void;
  onRequestTrailers(trailers: HeaderMap): void;
}

const NO_BYTES = Buffer.alloc(0);

/** The filters that have something to do for a stream. */
export function createFilters(
  configured: readonly ConfiguredFilter[],
  overrides: FilterOverrides,
  callbacks: StreamFilterCallbacks,
): StreamFilter[] | undefined {
  let filters: StreamFilter[] | undefined;
  for (const { name, disabled, create } of configured) {
    const override = overrides.size === 0 ? undefined : overrides.get(name);
    if (override === undefined ? disabled : override.disabled) continue;
    const filter = create(callbacks);
    if (filter !== undefined) (filters ??= []).push(filter);
  }
  return filters;
}

/** The filters of one stream. */
export class FilterChain {
  /** None once the stream is over: where one of them has ended it, the next ones are told nothing more. */
  readonly #filters: StreamFilter[];
  readonly #end: ChainEnd;
  #head: RequestHead | undefined;
  #headEnds = false;
  /** The filter that stopped the request; -1 while it runs. */
  #stoppedAt = -1;
  #buffering = false;
  /** What came while stopped: bounded, as the client is not read from meanwhile, or as the filter that buffers bounds it. */
  #held: { readonly chunk: Buffer; readonly end: boolean }[] = [];
  #heldTrailers: HeaderMap | undefined;

  /** @param filters are the chain's from now on */
  constructor(filters: StreamFilter[], end: ChainEnd) {
    this.#filters = filters;
    this.#end = end;
  }

  /** Whether the client must not be read from. */
  get holdsClient(): boolean {
    return this.#stoppedAt !== -1 && !this.#buffering;
  }

  onRequestHead(head: RequestHead, endStream: boolean): void {
    this.#head = head;
    this.#headEnds = endStream;
    this.#runHead(0);
  }

  onRequestData(chunk: Buffer, endStream: boolean): void {
    const stoppedAt = this.#stoppedAt;
    if (stoppedAt === -1) {
      let told = false;
      for (const filter of this.#filters) {
        if (filter.onRequestData === undefined) continue;
        filter.onRequestData(chunk, endStream);
        told = true;
      }
      this.#end.onRequestData(chunk, endStream, !told);
      return;
    }
    this.#held.push({ chunk, end: endStream });
    for (let i = 0; i <= stoppedAt; i++) this.#filters[i]?.onRequestData?.(chunk, endStream);
  }

  /** Filters see the end of the body; what follows it is for the host. */
  onRequestTrailers(trailers: HeaderMap): void {
    const stoppedAt = this.#stoppedAt;
    if (stoppedAt !== -1) this.#heldTrailers = trailers;
    const last = stoppedAt === -1 ? this.#filters.length - 1 : stoppedAt;
    for (let i = 0; i <= last; i++) this.#filters[i]?.onRequestData?.(NO_BYTES, true);
    if (stoppedAt === -1) this.#end.onRequestTrailers(trailers);
  }

  continueRequest(): void {
    if (this.#stoppedAt === -1) return;
    const seenUpTo = this.#stoppedAt;
    this.#stoppedAt = -1;
    this.#buffering = false;
    this.#runHead(seenUpTo + 1);
    const held = this.#held;
    this.#held = [];
    for (const { chunk, end } of held) this.#continueData(chunk, end, seenUpTo);
    const trailers = this.#heldTrailers;
    if (trailers === undefined || this.#stoppedAt !== -1) return;
    this.#heldTrailers = undefined;
    this.#end.onRequestTrailers(trailers);
  }

  onResponseHead(head: ResponseHead, endStream: boolean): void {
    for (let i = this.#filters.length - 1; i >= 0; i--) this.#filters[i]?.onResponseHead?.(head, endStream);
  }

  /** @returns whether any filter was told of it */
  onResponseData(chunk: Buffer, endStream: boolean): boolean {
    let told = false;
    for (let i = this.#filters.length - 1; i >= 0; i--) {
      const filter = this.#filters[i];
      if (filter?.onResponseData === undefined) continue;
      filter.onResponseData(chunk, endStream);
      told = true;
    }
    return told;
  }

  onResponseTrailers(trailers: HeaderMap): void {
    for (let i = this.#filters.length - 1; i >= 0; i--) this.#filters[i]?.onResponseTrailers?.(trailers);
  }

  destroy(): void {
    this.#held = [];
    this.#head = undefined;
    for (const filter of this.#filters.splice(0)) filter.onDestroy?.();
  }

  /** @param seenUpTo filters up to this one had it when it came */
  #continueData(chunk: Buffer, end: boolean, seenUpTo: number): void {
    if (this.#stoppedAt !== -1) this.#held.push({ chunk, end });
    const last = this.#stoppedAt === -1 ? this.#filters.length - 1 : this.#stoppedAt;
    const stopped = this.#stoppedAt !== -1;
    for (let i = seenUpTo + 1; i <= last; i++) this.#filters[i]?.onRequestData?.(chunk, end);
    if (!stopped) this.#end.onRequestData(chunk, end);
  }

  #runHead(from: number): void {
    const head = this.#head;
    if (head === undefined) return;
    for (let i = from; i < this.#filters.length; i++) {
      const status = this.#filters[i]?.onRequestHead?.(head, this.#headEnds);
      if (status === "stop" || status === "buffer") {
        this.#stoppedAt = i;
        this.#buffering = status === "buffer";
        return;
      }
    }
    if (this.#head !== undefined) this.#end.onRequestHead(head, this.#headEnds);
  }
}
