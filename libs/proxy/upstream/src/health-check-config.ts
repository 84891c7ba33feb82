/** What a host is asked, from time to time, to find out whether it can serve. */
export interface HealthCheck {
  readonly kind:
    | {
        readonly type: "http";
        readonly path: string;
        readonly host: string;
        readonly codec: "http1" | "http2";
        readonly method: string;
        /** All of them but the host; names and values in turn. */
        readonly headers: readonly string[];
        /** Ranges [start, end) of statuses that pass. @default [200, 201) */
        readonly expected: readonly (readonly [start: number, end: number])[];
        /** Ranges that fail only after `unhealthyThreshold`; other statuses fail at once. */
        readonly retriable: readonly (readonly [start: number, end: number])[];
      }
    | {
        readonly type: "tcp";
        /** Sent after the connect; empty: that it connects is enough. */
        readonly send: Buffer;
        /** In this order, in what comes. */
        readonly receive: readonly Buffer[];
      }
    | { readonly type: "grpc"; readonly service: string; readonly authority: string };
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** Up to so much more before each check, at random. */
  readonly jitterMs: number;
  /** Of a cluster that has served no request yet. @default 60000 */
  readonly noTrafficIntervalMs: number;
  /** Of a host that does not pass. @default intervalMs */
  readonly unhealthyIntervalMs: number;
  /** Failures in a row that make it unhealthy. */
  readonly unhealthyThreshold: number;
  /** Successes in a row that make it healthy again; the first check of all decides alone. */
  readonly healthyThreshold: number;
  /** In the place of the host's own. */
  readonly port?: number | undefined;
  /** The next check may have the connection of the last one. @default true */
  readonly reuseConnection: boolean;
}
