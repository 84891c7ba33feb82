/** What went wrong with a response, in Envoy's short words: the first thing that an operator looks at. */
export type ResponseFlag =
  "NR" | "NC" | "UH" | "UF" | "UC" | "UR" | "UO" | "UT" | "UPE" | "URX" | "LR" | "SI" | "DC" | "DPE";

/** What happened to one request: for access logs and statistics. */
export class StreamInfo {
  /** When its head had come; the proxy's monotonic clock. */
  readonly startMs: number;
  requestEndMs = 0;
  method = "";
  path = "";
  authority = "";
  requestId = "";
  /** 0 while, or if never, there is a response. */
  status = 0;
  /** `via_upstream`, or why the proxy answered itself. */
  details = "";
  /** Comma-separated `ResponseFlag`s; "" when all went well. */
  flags = "";
  routeName = "";
  cluster = "";
  /** `address:port` of the last attempt. */
  upstreamHost = "";
  attempts = 0;
  bytesReceived = 0;
  bytesSent = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  flag(flag: ResponseFlag): void {
    this.flags = this.flags === "" ? flag : `${this.flags},${flag}`;
  }
}
