import type { Socket } from "node:net";
import type { ParserLimits } from "@fairlead/codec-http1";
import type { Http2ConnectionOptions, Http2Stats } from "@fairlead/codec-http2";
import { FairleadError } from "@fairlead/errors";
import type { TimerWheel } from "@fairlead/timer-wheel";
import { streamErrors } from "./errors.ts";
import type { KeepAliveOptions } from "./http2/keep-alive.ts";
import type { ClientConnection, ClientConnectionEvents, ServerConnection, ServerConnectionEvents } from "./stream.ts";

/** What is special to HTTP/2; what is left out has the codec's default. */
export interface Http2Options extends Partial<
  Pick<
    Http2ConnectionOptions,
    | "streamWindowBytes"
    | "connectionWindowBytes"
    | "maxConcurrentStreams"
    | "abuse"
    | "allowConnect"
    | "passContinue"
    | "closesOnMalformed"
    | "headerTableBytes"
  >
> {
  /** Counted in by all connections that have it. @default a table of the connection's own */
  readonly stats?: Http2Stats;
  /** @default the peer is not asked whether it is there */
  readonly keepAlive?: KeepAliveOptions | undefined;
}

/** What is special to HTTP/1.1. */
export interface Http1Options extends Pick<
  ParserLimits,
  "allowConnect" | "acceptHttp10" | "allowChunkedLength" | "defaultHost" | "trailers"
> {
  /** Hosts are asked whether they want the body of a request that says `expect: 100-continue`. @default false: it is said at once */
  readonly passContinue?: boolean;
  /** Names of headers are sent as `Content-Type`. @default false: in lower case */
  readonly properCase?: boolean;
}

export interface ConnectionOptions {
  /** Bytes waiting to be sent at which a stream is told to stop, and which bound a connection's memory. @default 1048576 */
  readonly highWatermarkBytes?: number;
  /** Bytes of a head. @default 61440 */
  readonly maxHeadBytes?: number;
  /** Headers of a head. @default 100 */
  readonly maxHeaders?: number;
  readonly http1?: Http1Options | undefined;
  readonly http2?: Http2Options | undefined;
}

export interface ServerConnectionOptions extends ConnectionOptions {
  /** The clock of the time-outs; shared by all connections of a thread. */
  readonly wheel: TimerWheel;
  /** From a request's first byte (of the first request: from the connection) to the end of its head. @default 10000 */
  readonly headersTimeoutMs?: number;
  /** A response that is complete, and that the client takes nothing of for so long, is given up; 0 = never. @default 300000 */
  readonly flushTimeoutMs?: number;
  /** Without a request, after at least one. @default 3600000 (1 hour, as Envoy) */
  readonly idleTimeoutMs?: number;
  /** From a connection's drain until no stream begins any more, at most. HTTP/2 only. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** A client that has taken the last response gets this long to close. @default 1000 */
  readonly delayedCloseMs?: number;
}

/** A protocol: what makes connections of many streams from a socket, plain or TLS. */
export interface StreamFactory {
  /** Streams that a new connection is taken to carry at the same time, until it says so itself. @default 1 */
  readonly expectedStreams?: number;
  createServer(socket: Socket, events: ServerConnectionEvents, options: ServerConnectionOptions): ServerConnection;
  /** @param socket connected */
  createClient(socket: Socket, events: ClientConnectionEvents, options: ConnectionOptions): ClientConnection;
}

const factories = new Map<string, StreamFactory>();

/** Adds a protocol; done once when its module is loaded. */
export function registerStreamFactory(protocol: string, factory: StreamFactory): void {
  factories.set(protocol, factory);
}

export function hasStreamFactory(protocol: string): boolean {
  return factories.has(protocol);
}

/** @throws FairleadError FL_PROTOCOL_UNKNOWN */
export function streamFactory(protocol: string): StreamFactory {
  const factory = factories.get(protocol);
  if (factory === undefined) {
    const code: keyof typeof streamErrors = "FL_PROTOCOL_UNKNOWN";
    throw new FairleadError(code, `no stream factory for ${protocol}; there is ${[...factories.keys()].join(", ")}`, {
      facts: { protocol },
    });
  }
  return factory;
}
