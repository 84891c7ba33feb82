import { type AbuseLimits, defaultAbuseLimits } from "./abuse-guard.ts";
import { DEFAULT_HEADER_TABLE_BYTES } from "./frame-types.ts";
import type { Http2Stats } from "./http2-stats.ts";

/** How one end of a connection behaves; all of it but `stats`, `now` and `onOutput` has a default. */
export interface Http2ConnectionOptions {
  /** Bytes that a peer may send on a stream before it is told that they were taken. @default 262144 */
  readonly streamWindowBytes: number;
  /** The same for all streams together. @default 1048576 */
  readonly connectionWindowBytes: number;
  /** Bytes of streams that nobody reads, above which the connection's window is not given back. @default 4194304 */
  readonly maxHeldBytes: number;
  /** Streams that a client may have open. @default 100 */
  readonly maxConcurrentStreams: number;
  /** @default 61440 (60 KiB, as Envoy) */
  readonly maxHeadBytes: number;
  /** @default 100 (as Envoy) */
  readonly maxHeaders: number;
  /** Of the table of headers in each direction: what the peer is allowed, and what we use of what it allows. @default 4096 */
  readonly headerTableBytes: number;
  /** Bytes of one stream that wait for windows, at which its sender is told to stop. @default 262144 */
  readonly maxQueuedBytes: number;
  /** Extended CONNECT (RFC 8441), and plain CONNECT. @default false */
  readonly allowConnect: boolean;
  /** Who gets a request answers `expect: 100-continue`, which is among its headers. @default false: the connection does */
  readonly passContinue?: boolean | undefined;
  /** A message that is malformed ends the connection. @default false: its stream, as RFC 9113 §8.1.1 has it */
  readonly closesOnMalformed?: boolean | undefined;
  readonly abuse: AbuseLimits;
  readonly stats: Http2Stats;
  /** Monotonic, in milliseconds; may be coarse. */
  readonly now: () => number;
  /** There is something to take with `takeOutput`; called once until it is taken. */
  readonly onOutput: () => void;
  /** The peer has answered a PING of `sendPing`. @param opaque its 8 bytes @default nobody is told */
  readonly onPingAck?: ((opaque: Buffer) => void) | undefined;
}

export const connectionDefaults: Omit<Http2ConnectionOptions, "stats" | "now" | "onOutput"> = {
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  maxHeldBytes: 4 * 1024 * 1024,
  maxConcurrentStreams: 100,
  maxHeadBytes: 60 * 1024,
  maxHeaders: 100,
  headerTableBytes: DEFAULT_HEADER_TABLE_BYTES,
  maxQueuedBytes: 256 * 1024,
  allowConnect: false,
  abuse: defaultAbuseLimits,
};
