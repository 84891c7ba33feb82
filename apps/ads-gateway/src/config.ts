import { availableParallelism } from "node:os";
import { bindAddress, defineConfig, durationMs, logLevel, natsUrl, otlpEndpoint, port } from "@fairlead/config";
import { z } from "zod";

const count = (max: number) => z.coerce.number().int().min(1).max(max);

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
  pushConcurrency: count(10_000)
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
  maxStreams: count(1_000_000).default(20_000).describe("xDS streams of this gateway; more are refused."),
  maxStreamsPerConnection: count(100_000)
    .default(1000)
    .describe("Streams of one TCP connection; a gRPC client that wants more waits or opens another connection."),
  newStreamRate: count(100_000)
    .optional()
    .describe(
      "Streams that may begin in a second, and at once after a quiet second. Each begins with a whole configuration. Not set: 250 a core.",
    ),
  newStreamWait: durationMs()
    .prefault("2s")
    .describe(
      "A stream beyond newStreamRate waits this long at most for its turn; else it is refused and comes again.",
    ),
  firstRequestTimeout: durationMs().prefault("10s").describe("A stream without a request for this long is ended."),
  maxConnections: count(1_000_000).default(20_000).describe("TCP connections of proxies; more are refused."),
  maxIdleConnections: count(1_000_000)
    .default(1000)
    .describe("TCP connections without a stream; one more and the one that is idle for the longest is cut."),
  connectionIdleTimeout: durationMs()
    .prefault("30s")
    .describe("A TCP connection without a stream for this long is closed."),
  maxConnectionAge: durationMs()
    .prefault("30m")
    .describe(
      "A connection is closed at this age, ±10 %, so that proxies spread over gateways that came later. 0s = never.",
    ),
  keepaliveTime: durationMs().prefault("30s").describe("Time between two HTTP/2 pings to a proxy."),
  keepaliveTimeout: durationMs()
    .prefault("20s")
    .describe("A proxy that does not answer a ping for this long is cut: it, or the way to it, is gone."),
  drainSpread: durationMs()
    .prefault("2s")
    .describe(
      "At a stop, connections are sent away one after the other over this time, 20 ms apart at most, so that other gateways do not get all proxies at once.",
    ),
  drainTimeout: durationMs()
    .prefault("5s")
    .describe(
      "At a stop, after drainSpread, and at maxConnectionAge: the time for a connection to end before it is cut.",
    ),
  logLevel: logLevel(),
});
export type AdsGatewayConfig = ReturnType<typeof adsGatewayConfig.load>;

/** Of `pushConcurrency`. Enough to hide proxies' round trips, few enough that the first ones are done early. */
export const defaultPushConcurrency = (): number => 50 * availableParallelism();

/** Of `newStreamRate`. A stream's first responses take one to two milliseconds of a core with a thousand services. */
export const defaultNewStreamRate = (): number => 250 * availableParallelism();

/** What only the process of its own needs: in `fairlead up` the bus is given. */
export const adsGatewayProcessConfig = defineConfig("ads-gateway (as a process)", {
  natsUrl: natsUrl(),
  otlpEndpoint: otlpEndpoint(),
});
