import type { Http1Options, Http2Options } from "@fairlead/proxy-stream";
import type { RouteTable } from "@fairlead/proxy-router";
import type { InternalAddresses } from "./internal-addresses.ts";
import type { LocalReplyMapper } from "./local-reply.ts";
import type { RequestRule, ResponseRule } from "./rules/rule.ts";
import type { ConfiguredFilter } from "./stream-filter.ts";
import type { StreamInfo } from "./stream-info.ts";

/** How HTTP is served on a listener. Immutable: a change is a new one, which the next request takes. */
export interface ConnectionManagerConfig {
  /** The routes as they are now; undefined before the first came. A request keeps those it began with. */
  readonly routes: () => RouteTable | undefined;
  /** What clients speak; "auto": as ALPN or their first bytes say. @default "auto" */
  readonly protocol: "auto" | "http1" | "http2";
  /** Heads are HTTP's: they are checked, and completed with what HTTP wants of a proxy. False for RPC. @default true */
  readonly httpHeads: boolean;
  /** @default the codec's */
  readonly http2?: Omit<Http2Options, "stats"> | undefined;
  /** @default the codec's */
  readonly http1?: Http1Options | undefined;
  /** What requests may become other than requests, in lower case, and whether that is allowed where the route says nothing. @default none */
  readonly upgrades?: ReadonlyMap<string, boolean> | undefined;
  /** In the order of the request, without the router. */
  readonly filters: readonly ConfiguredFilter[];
  /** The `server` header. @default "fairlead" */
  readonly serverName: string;
  /** What happens to a `server` header of the host. @default "overwrite" */
  readonly serverHeader: "overwrite" | "appendIfAbsent" | "passThrough";
  /** True: the client's address is appended to x-forwarded-for; false: headers are trusted as they come (inside a mesh). @default false */
  readonly useRemoteAddress: boolean;
  /** How many proxies in front are trusted to say in x-forwarded-for where a request came from. @default 0 */
  readonly trustedHops: number;
  /** Clients that may ask for retries and time-outs with `x-envoy-` headers; from others these are taken away. @default none */
  readonly internalAddresses: InternalAddresses | undefined;
  /** Gives requests without one an `x-request-id`. @default true */
  readonly generateRequestId: boolean;
  /** Requests and responses see one spelling of a path only. @default true (Envoy: false) */
  readonly normalizePath: boolean;
  /** @default false */
  readonly mergeSlashes: boolean;
  /** Paths with %2F or %5C: are kept; are refused with 400; are sent back to the client, or go on, with slashes. @default "keep" */
  readonly escapedSlashes: "keep" | "reject" | "redirect" | "forward";
  /** @default none */
  readonly requestRules: readonly RequestRule[];
  /** @default none */
  readonly responseRules: readonly ResponseRule[];
  /** Nobody may say in x-forwarded-client-cert who it is; false: a rule looks at it. @default true */
  readonly removesClientCertificate: boolean;
  /** Appended to the `via` of requests and responses; "" = nothing. @default "" */
  readonly via: string;
  /** x-forwarded-for stays as it is. @default false */
  readonly skipForwardedFor: boolean;
  /** An id that came from outside stays. @default false */
  readonly preserveExternalRequestId: boolean;
  /** Makes other replies of those that the proxy itself gives. @default none */
  readonly mapLocalReply?: LocalReplyMapper | undefined;
  /** Requests that a connection serves; 0 = any number. @default 0 */
  readonly maxRequestsPerConnection: number;
  /** A connection that is older ends when it can; 0 = never. @default 0 */
  readonly maxConnectionDurationMs: number;
  /** How long such a connection has for its last requests, and HTTP/2's from its drain until no stream begins any more. @default 5000 */
  readonly drainTimeoutMs: number;
  /** A client that has taken the last response gets this long to close. @default 1000 */
  readonly delayedCloseMs: number;
  /** No byte either way on a stream for so long ends it; 0 = never. @default 300000 */
  readonly streamIdleTimeoutMs: number;
  /** A response that is complete and that its client takes nothing of for so long is given up; 0 = never. @default streamIdleTimeoutMs */
  readonly streamFlushTimeoutMs?: number | undefined;
  /** From a request's head to its end; 0 = none. @default 0 */
  readonly requestTimeoutMs: number;
  /** From a request's head to the end of its response; 0 = none. @default 0 */
  readonly maxStreamDurationMs: number;
  /** @default false */
  readonly suppressEnvoyHeaders: boolean;
  /** Headers of requests from inside whose values must be good, else they are refused; keys of `strictChecks`. @default none */
  readonly strictHeaders: readonly string[];
  /** What the proxy before this one says in x-envoy-expected-rq-timeout-ms counts. @default false */
  readonly respectsExpectedTimeout: boolean;
  /** From a connection (later: a request's first byte) to the end of the head. @default 10000 */
  readonly headersTimeoutMs: number;
  /** Of a connection without a request. @default 3600000 */
  readonly idleTimeoutMs: number;
  /** @default 61440 */
  readonly maxHeadBytes: number;
  /** @default 100 */
  readonly maxHeaders: number;
  /** Bytes waiting to be sent to a client at which its stream is told to stop. @default 1048576 */
  readonly highWatermarkBytes: number;
  /** Told of every request at its end. @default none */
  readonly accessLog?: ((info: StreamInfo) => void) | undefined;
}

export const connectionManagerDefaults: Omit<ConnectionManagerConfig, "routes"> = {
  protocol: "auto",
  httpHeads: true,
  filters: [],
  serverName: "fairlead",
  serverHeader: "overwrite",
  useRemoteAddress: false,
  trustedHops: 0,
  internalAddresses: undefined,
  generateRequestId: true,
  normalizePath: true,
  mergeSlashes: false,
  escapedSlashes: "keep",
  requestRules: [],
  responseRules: [],
  removesClientCertificate: true,
  via: "",
  skipForwardedFor: false,
  preserveExternalRequestId: false,
  maxRequestsPerConnection: 0,
  maxConnectionDurationMs: 0,
  drainTimeoutMs: 5000,
  delayedCloseMs: 1000,
  streamIdleTimeoutMs: 300_000,
  requestTimeoutMs: 0,
  maxStreamDurationMs: 0,
  suppressEnvoyHeaders: false,
  strictHeaders: [],
  respectsExpectedTimeout: false,
  headersTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  maxHeadBytes: 60 * 1024,
  maxHeaders: 100,
  highWatermarkBytes: 1024 * 1024,
};
