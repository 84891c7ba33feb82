/** How a message's body ends (RFC 9112 §6.3): a number of bytes, `CHUNKED` or `UNTIL_CLOSE`. */
export type BodyFraming = number;

/** `transfer-encoding: chunked`. */
export const CHUNKED = -1;
/** A response without length: it ends with the connection. */
export const UNTIL_CLOSE = -2;

/**
 * A request's head as it came, without what belongs to the connection it came over (RFC 9110 §7.6.1): `connection` and what it
 * names, `keep-alive`, `proxy-connection`, `transfer-encoding`, `upgrade`, `te` other than `trailers`, `expect`.
 */
export interface Http1RequestHead {
  readonly method: string;
  /** Path with query, in origin form; `*` only for OPTIONS; "" only for CONNECT. */
  readonly path: string;
  /** Of an absolute-form target, else the Host header; never empty. */
  readonly authority: string;
  /** name, value, name, value … with names in lower case, in the order of arrival, without `host`. The receiver owns it. */
  readonly headers: string[];
  readonly framing: BodyFraming;
  /** Whether the client lets the connection stay open after the response. */
  readonly keepAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
  /**
   * The protocol, in lower case, that the client wants to go on with, `connect` for CONNECT; undefined for none. Only of requests without
   * a body: what follows such a head is the next request when the upgrade is not taken.
   */
  readonly upgrade: string | undefined;
  /** The response may not be chunked, and the connection ends with it. */
  readonly http10: boolean;
}

/** A response's head; `headers` as in `Http1RequestHead`. 1xx responses are not among them, except a 101 that was asked for. */
export interface Http1ResponseHead {
  readonly status: number;
  readonly headers: string[];
  readonly framing: BodyFraming;
  readonly keepAlive: boolean;
  /** `timeout=` of a Keep-Alive header, in seconds; -1 without one. */
  readonly keepAliveTimeoutSeconds: number;
  /** The server agrees to the upgrade: all that follows is the body. */
  readonly tunnel: boolean;
}
