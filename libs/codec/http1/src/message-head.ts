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
  /** Path with query, in origin form; `*` only for OPTIONS. */
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
}

/** A response's head; `headers` as in `Http1RequestHead`. 1xx responses are not among them: the parser skips them. */
export interface Http1ResponseHead {
  readonly status: number;
  readonly headers: string[];
  readonly framing: BodyFraming;
  readonly keepAlive: boolean;
  /** `timeout=` of a Keep-Alive header, in seconds; -1 without one. */
  readonly keepAliveTimeoutSeconds: number;
}
