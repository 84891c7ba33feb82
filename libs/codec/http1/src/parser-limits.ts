export interface ParserLimits {
  /** Bytes of a head with its empty line. @default 61440 (60 KiB, as Envoy) */
  readonly maxHeadBytes: number;
  /** Header lines in a head. @default 100 (as Envoy) */
  readonly maxHeaders: number;
  /** CONNECT is a request like others; else it is refused with 403. @default false */
  readonly allowConnect?: boolean;
  /** HTTP/1.0 is served, each request on a connection of its own; else it is refused with 426. @default false */
  readonly acceptHttp10?: boolean;
  /** Of a request with both Content-Length and Transfer-Encoding the length is dropped; else it is refused. @default false */
  readonly allowChunkedLength?: boolean;
  /** Who is asked by an HTTP/1.0 request that does not say it. @default it is refused */
  readonly defaultHost?: string | undefined;
  /** The sink is told of trailers. @default false: they are checked and dropped */
  readonly trailers?: boolean;
}

export const defaultParserLimits: ParserLimits = { maxHeadBytes: 60 * 1024, maxHeaders: 100 };
