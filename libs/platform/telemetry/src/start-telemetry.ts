import type { IncomingMessage, ServerResponse } from "node:http";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
// The SDK imports it, too; a bundle loads it when it is first used (tools/build/late-packages.ts).
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor, NoopSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import { keepSpans } from "./trace-context.ts";

export interface TelemetryOptions {
  /** `service.name` of spans and metrics. */
  readonly service: string;
  /**
   * Where spans go by OTLP over HTTP, e.g. http://127.0.0.1:4318. Without it spans are made, so that logs and messages
   * carry trace ids, and dropped.
   */
  readonly otlpEndpoint?: string | undefined;
  /** Further processors; tests read spans with one. */
  readonly spanProcessors?: readonly SpanProcessor[];
}

export interface Telemetry {
  /** Answers a scrape in Prometheus text format. */
  serveMetrics(request: IncomingMessage, response: ServerResponse): void;
  /** Sends what is buffered, at most 2 s, and ends. */
  shutdown(): Promise<void>;
}

/** For the last export, and so for each: a collector that hangs does not keep the process. */
const shutdownMs = 2000;

/** The SDK that the global API of OpenTelemetry leads to. */
let registered: NodeSDK | undefined;

function exportTo(otlpEndpoint: string): SpanProcessor {
  const url = `${otlpEndpoint.replace(/\/$/, "")}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: shutdownMs });
  return new BatchSpanProcessor({ exporter, scheduledDelayMillis: 500 });
}

/**
 * Starts the OpenTelemetry SDK of this process: once, before modules are made. After `shutdown` it may be started again.
 *
 * Resource detectors are off: they would put the command line and the host id into every metric.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const prometheus = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  const exporters = options.otlpEndpoint === undefined ? [] : [exportTo(options.otlpEndpoint)];
  const processors = [...exporters, ...(options.spanProcessors ?? [])];
  keepSpans(processors.length > 0);
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ "service.name": options.service }),
    autoDetectResources: false,
    textMapPropagator: new W3CTraceContextPropagator(),
    metricReaders: [prometheus],
    // Without any processor the SDK makes no real spans, and so no trace ids.
    spanProcessors: [new NoopSpanProcessor(), ...processors],
    // None of its own, which would send logs to a collector on this machine.
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  registered ??= sdk;
  return {
    serveMetrics: (request, response) => prometheus.getMetricsRequestHandler(request, response),
    async shutdown() {
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, shutdownMs).unref());
      await Promise.race([sdk.shutdown().catch(() => undefined), timeout]);
      if (registered !== sdk) return;
      registered = undefined;
      for (const api of [trace, metrics, context, propagation]) api.disable();
    },
  };
}
