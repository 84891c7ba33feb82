import { availableParallelism } from "node:os";
import { bindAddress, defineConfig, durationMs, logLevel, natsUrl, otlpEndpoint, port } from "@fairlead/config";
import { z } from "zod";

export const adsGatewayConfig = defineConfig("ads-gateway", {
  bind: bindAddress().describe("Address that both ports listen on."),
  grpcPort: port().default(15010).describe("ADS, where proxies connect. 0 = a free one."),
  httpPort: port().default(15014).describe("/debug, /metrics, /healthz and /readyz. 0 = a free one."),
  advertisedDebugUrl: z
    .url()
    .optional()
    .describe("Where others reach httpPort, e.g. http://10.0.0.7:15014. Not set: http://<bind>:<httpPort>."),
  debounceQuiet: durationMs()
    .prefault("100ms")
    .describe(
      "A lone change is pushed at once. Changes that follow within this time of each other are pushed together.",
    ),
  debounceMax: durationMs()
    .prefault("10s")
    .describe("However many changes come, one is not held back longer than this."),
  endpointDebounceQuiet: durationMs()
    .prefault("20ms")
    .describe("debounceQuiet for changes of nothing but endpoints: they do not wait for changes of anything else."),
  endpointDebounceMax: durationMs().prefault("1s").describe("debounceMax for changes of nothing but endpoints."),
  pushConcurrency: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      "Proxies that are written to at the same time; one that does not read gives its place up after 100 ms. Not set: 50 a core.",
    ),
  ackTimeout: durationMs()
    .prefault("15s")
    .describe(
      "A change that waits for a proxy's ACK is sent after this time without it. More than proxies take to apply a response.",
    ),
  sendTimeout: durationMs()
    .prefault("30s")
    .describe("A proxy that does not take what was sent to it for this long is disconnected."),
  maxStreams: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe("ADS streams of this gateway; more are refused."),
  drainTimeout: durationMs().prefault("5s").describe("At a stop, the time for streams to end before they are cut."),
  logLevel: logLevel(),
});
export type AdsGatewayConfig = ReturnType<typeof adsGatewayConfig.load>;

/** Of `pushConcurrency`. Enough to hide proxies' round trips, few enough that the first ones are done early. */
export const defaultPushConcurrency = (): number => 50 * availableParallelism();

/** What only the process of its own needs: in `fairlead up` the bus is given. */
export const adsGatewayProcessConfig = defineConfig("ads-gateway (as a process)", {
  natsUrl: natsUrl(),
  otlpEndpoint: otlpEndpoint(),
});
