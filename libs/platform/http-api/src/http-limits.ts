import type { Server } from "node:http";
import type { Logger } from "@fairlead/logging";

/** What clients of an HTTP API may use up. */
export interface HttpLimits {
  /** Further ones are closed at once. */
  readonly maxConnections: number;
  /** For the head of a request to arrive. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  maxConnections: 10_000,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
};

/** From the settings that `httpLimitFields` of config describes. */
export function httpLimitsOf(config: {
  readonly maxHttpConnections: number;
  readonly httpHeadersTimeout: number;
  readonly httpRequestTimeout: number;
}): HttpLimits {
  return {
    maxConnections: config.maxHttpConnections,
    headersTimeoutMs: config.httpHeadersTimeout,
    requestTimeoutMs: config.httpRequestTimeout,
  };
}

const logEveryMs = 10_000;

/** Closes connections above the limit, and says so now and then. */
export function limitConnections(server: Server, maxConnections: number, logger: Pick<Logger, "warn">): void {
  server.maxConnections = maxConnections;
  let dropped = 0;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  server.on("drop", () => {
    dropped += 1;
    if (performance.now() - loggedAtMs < logEveryMs) return;
    logger.warn({ maxConnections, dropped }, "connections above the limit were closed");
    loggedAtMs = performance.now();
    dropped = 0;
  });
}
