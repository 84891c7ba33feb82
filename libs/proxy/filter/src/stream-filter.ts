import type { Transform } from "node:stream";
import type { PoolContext } from "@fairlead/pool";
import type { ConnectionInfo, HeaderMap, RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { FilterOverride, RouteEntry, WeightedCluster } from "@fairlead/proxy-router";
import type { LocalReply } from "./local-reply.ts";
import type { StreamInfo } from "./stream-info.ts";
import type { BodyTransform } from "./transformed-body.ts";

/**
 * `stop`: the request waits, and its client with it, until `continueRequest` or a local reply. `buffer`: the request waits too, but
 * its client is read on; the filter that says so must bound what comes (it sees it in `onRequestData`).
 */
export type FilterStatus = "continue" | "stop" | "buffer";

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
  onResponseTrailers?(trailers: HeaderMap): void;
  /** Once, when the stream is over, however it ended. */
  onDestroy?(): void;
}

export interface HostCounts {
  readonly total: number;
  /** Healthy or degraded. */
  readonly usable: number;
}

/** What a filter may do with its stream. */
export interface StreamFilterCallbacks {
  readonly info: StreamInfo;
  /** Chosen before the filters run. */
  readonly route: RouteEntry | undefined;
  readonly connection: ConnectionInfo;
  /** Of the route's clusters, the one that was chosen. */
  readonly target: WeightedCluster | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** What a filter takes from a pool by this is given back when the stream is over, however it ended, after `onDestroy`. */
  readonly pools: PoolContext;
  /** POST /healthcheck/fail: the proxy is to be left, though it serves. */
  readonly healthFailed: boolean;
  /** @returns undefined where there is no such cluster */
  hostsOf(cluster: string): HostCounts | undefined;
  /** What the most specific of weighted cluster, route, virtual host and table says about the filter of that name. */
  override(filter: string): FilterOverride | undefined;
  /** Goes on after a `stop` or `buffer`, with the next filter. */
  continueRequest(): void;
  /** Answers instead of the host. When a response has begun already, the stream is reset. */
  sendLocalReply(reply: LocalReply): void;
  /** Adds to `http.<stat_prefix>.<stat>`. @param by @default 1 */
  count(stat: string, by?: number): void;
  /**
   * The body of the response, whose head is being seen, goes through this on its way to the client. One filter of a stream may do so;
   * the stream is ended with it, unless it says itself how it is let go.
   */
  transformResponse(transform: Transform | BodyTransform): void;
}

/** @returns undefined when there is nothing to do for this request: that costs nothing further */
export type StreamFilterFactory = (callbacks: StreamFilterCallbacks) => StreamFilter | undefined;

/** A filter as a listener has it. */
export interface ConfiguredFilter {
  /** What routes call it by. */
  readonly name: string;
  /** Only routes that have a configuration for it use it. */
  readonly disabled: boolean;
  readonly create: StreamFilterFactory;
}

/** What a reader is told about the place of a filter. */
export interface FilterPlace {
  readonly name: string;
  /** The field, for errors. */
  readonly where: string;
}

/** Reads a filter's configuration. @throws FairleadError naming the field that it does not take */
export type StreamFilterReader = (config: Uint8Array, place: FilterPlace) => StreamFilterFactory;
/** Reads what a route says about a filter; the filter gets it from `override`. @throws FairleadError */
export type RouteConfigReader = (config: Uint8Array, where: string) => unknown;

const readers = new Map<string, StreamFilterReader>();
const routeReaders = new Map<string, RouteConfigReader>();

/** Adds a kind of filter, by the type URL of its configuration; done once when its module is loaded. */
export function registerStreamFilter(typeUrl: string, reader: StreamFilterReader): void {
  readers.set(typeUrl, reader);
}

/** Adds what routes can say about a kind of filter, by the type URL of that. */
export function registerRouteConfig(typeUrl: string, reader: RouteConfigReader): void {
  routeReaders.set(typeUrl, reader);
}

export function streamFilterReader(typeUrl: string): StreamFilterReader | undefined {
  return readers.get(typeUrl);
}

export function routeConfigReader(typeUrl: string): RouteConfigReader | undefined {
  return routeReaders.get(typeUrl);
}
