import { z } from "zod";
import { durationMs } from "./field-types.ts";

const atLeast100ms = () => durationMs().pipe(z.number().min(100, "at least 100ms"));

/** What clients of a service's HTTP API may use up, the same words for each; `httpLimitsOf` of http-api takes them. */
export const httpLimitFields = (defaultConnections: number) => ({
  maxHttpConnections: z.coerce
    .number()
    .int()
    .min(16)
    .max(1_000_000)
    .default(defaultConnections)
    .describe(
      "Connections to the HTTP API; a request that waits for convergence holds one. Further ones are closed at once.",
    ),
  httpHeadersTimeout: atLeast100ms().prefault("5s").describe("Time for the head of a request to arrive."),
  httpRequestTimeout: atLeast100ms().prefault("10s").describe("Time for a whole request to arrive."),
});
