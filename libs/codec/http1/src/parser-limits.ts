export interface ParserLimits {
  /** Bytes of a head with its empty line. @default 61440 (60 KiB, as Envoy) */
  readonly maxHeadBytes: number;
  /** Header lines in a head. @default 100 (as Envoy) */
  readonly maxHeaders: number;
}

export const defaultParserLimits: ParserLimits = { maxHeadBytes: 60 * 1024, maxHeaders: 100 };
