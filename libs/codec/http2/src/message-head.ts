/** A request's head without its pseudo headers, checked by RFC 9113 §8. */
export interface Http2RequestHead {
  readonly method: string;
  /** With query; `*` only for OPTIONS; "" only for a plain CONNECT. */
  readonly path: string;
  /** Never empty. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  /** Of an extended CONNECT (RFC 8441), else undefined. */
  readonly protocol: string | undefined;
  /** name, value, name, value … in the order of arrival, without `host`, and `expect` where it is not passed on; cookies in one. The receiver owns it. */
  readonly headers: string[];
  /** Names of headers that came never-indexed: they go on so (RFC 7541 §7.1.3). */
  readonly neverIndexed: readonly string[] | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
}

export interface Http2ResponseHead {
  /** 200 and above: interim responses are not passed on. */
  readonly status: number;
  readonly headers: string[];
  readonly neverIndexed: readonly string[] | undefined;
}
