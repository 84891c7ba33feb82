import type { RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { RouteEntry } from "@fairlead/proxy-router";
import type { LocalReply } from "./local-reply.ts";
import type { StreamInfo } from "./stream-info.ts";

/** `stop`: the request waits, and its client with it, until `continueRequest` or a local reply. */
export type FilterStatus = "continue" | "stop";

/**
 * One instance sees one request and its response. Requests go through the filters in their order, responses in the reverse.
 * Each method is optional; a filter that has none of a kind costs nothing there.
 */
export interface StreamFilter {
  /** The head may be changed in place. */
  onRequestHead?(head: RequestHead, endStream: boolean): FilterStatus;
  onRequestData?(chunk: Buffer, endStream: boolean): void;
  /** Local replies come here too. */
  onResponseHead?(head: ResponseHead, endStream: boolean): void;
  onResponseData?(chunk: Buffer, endStream: boolean): void;
  /** Once, when the stream is over, however it ended. */
  onDestroy?(): void;
}

/** What a filter may do with its stream. */
export interface StreamFilterCallbacks {
  readonly info: StreamInfo;
  readonly route: RouteEntry | undefined;
  /** Goes on after a `stop`, with the next filter. */
  continueRequest(): void;
  /** Answers instead of the host. When a response has begun already, the stream is reset. */
  sendLocalReply(reply: LocalReply): void;
}

export type StreamFilterFactory = (callbacks: StreamFilterCallbacks) => StreamFilter;

/** Reads a filter's configuration. @throws FairleadError naming the field that it does not take */
export type StreamFilterReader = (config: Uint8Array) => StreamFilterFactory;

const readers = new Map<string, StreamFilterReader>();

/** Adds a kind of filter, by the type URL of its configuration; done once when its module is loaded. */
export function registerStreamFilter(typeUrl: string, reader: StreamFilterReader): void {
  readers.set(typeUrl, reader);
}

export function streamFilterReader(typeUrl: string): StreamFilterReader | undefined {
  return readers.get(typeUrl);
}
