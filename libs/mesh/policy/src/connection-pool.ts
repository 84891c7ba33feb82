import { z } from "zod";
import { count, durationMs, positiveCount, positiveDurationMs } from "./fields.ts";

const tcp = z.strictObject({
  maxConnections: positiveCount.optional().describe("To all instances together; calls above wait. Default: 1024."),
  connectTimeout: positiveDurationMs.optional().describe("Default: 5s."),
  tcpKeepalive: z
    .strictObject({
      probes: positiveCount.optional().describe("Without an answer, until the connection is given up."),
      time: positiveDurationMs.optional().describe("A connection is idle for that long before the first probe."),
      interval: positiveDurationMs.optional().describe("Between probes."),
    })
    .optional()
    .describe("TCP's own probes."),
  maxConnectionDuration: positiveDurationMs.optional().describe("A connection is not used for longer."),
  idleTimeout: durationMs.optional().describe("Of a TCP route's connections. Default: 1h; `0s` = none."),
});

const http = z.strictObject({
  http1MaxPendingRequests: positiveCount
    .optional()
    .describe("Calls that wait for a connection; others fail at once. Default: 1024."),
  http2MaxRequests: positiveCount
    .optional()
    .describe("Calls under way at a time, over HTTP/1.1 too; others fail at once. Default: 1024."),
  maxRequestsPerConnection: count
    .optional()
    .describe("A connection is closed after so many; 1: no keep-alive, 0: no limit (default)."),
  maxRetries: count.optional().describe("Repetitions under way at a time. Default: 1024."),
  idleTimeout: durationMs
    .optional()
    .describe("A connection without a call is closed after it. Default: 1h; `0s` = none."),
  h2UpgradePolicy: z
    .enum(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])
    .optional()
    .describe("`UPGRADE`: HTTP/2 to instances of a service over http too. They must speak it."),
  useClientProtocol: z.boolean().optional().describe("The protocol of the caller is used for the instance."),
  maxConcurrentStreams: positiveCount.optional().describe("Calls at a time on one HTTP/2 connection."),
});

export const connectionPool = z.strictObject({
  tcp: tcp.optional().describe("Of all connections."),
  http: http.optional().describe("Of HTTP's connections and calls."),
});
export type ConnectionPool = z.output<typeof connectionPool>;
