import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { listen } from "@fairlead/testing-basics";
import { metrics, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import {
  currentTraceparent,
  detached,
  inSpan,
  startSpan,
  startTelemetry,
  type Telemetry,
  withTraceparent,
} from "./index.ts";

let exporter: InMemorySpanExporter;
let telemetry: Telemetry;

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  telemetry = startTelemetry({ service: "test", spanProcessors: [new SimpleSpanProcessor({ exporter })] });
});
afterEach(() => telemetry.shutdown());

function finished(name: string) {
  const span = exporter.getFinishedSpans().find((each) => each.name === name);
  assert.ok(
    span !== undefined,
    `no span ${name} among ${exporter
      .getFinishedSpans()
      .map((each) => each.name)
      .join(", ")}`,
  );
  return span;
}

void describe("one trace over several services", () => {
  void test("a traceparent that was carried makes the spans behind it children of the one that made it", async () => {
    const carried = await inSpan("registry.publish", { "fairlead.revision": 42 }, async () => {
      await new Promise(setImmediate);
      return currentTraceparent();
    });
    assert.match(carried ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await withTraceparent(carried, () => inSpan("compiler.compile", {}, async () => undefined));
    await inSpan("gateway.push", {}, async () => undefined, carried);
    startSpan("proxy.ack", {}, carried).end();

    const root = finished("registry.publish");
    assert.equal(root.attributes["fairlead.revision"], 42);
    for (const name of ["compiler.compile", "gateway.push", "proxy.ack"]) {
      assert.equal(finished(name).spanContext().traceId, root.spanContext().traceId);
      assert.equal(finished(name).parentSpanContext?.spanId, root.spanContext().spanId);
    }
  });

  void test("spans made within a span are its children; outside of one there is no traceparent", async () => {
    await inSpan("a.outer", {}, async () => await inSpan("a.inner", {}, async () => undefined));
    assert.equal(finished("a.inner").parentSpanContext?.spanId, finished("a.outer").spanContext().spanId);
    assert.equal(currentTraceparent(), undefined);
  });

  void test("detached work belongs to no trace, also what it does later", async () => {
    const seen = await inSpan(
      "a.wake",
      {},
      async () =>
        await detached(async () => {
          await new Promise(setImmediate);
          return currentTraceparent();
        }),
    );
    assert.equal(seen, undefined);
  });

  void test("no or a broken traceparent changes nothing", async () => {
    for (const traceparent of [undefined, "", "garbage", "00-0-0-01"]) {
      assert.equal(
        withTraceparent(traceparent, () => currentTraceparent()),
        undefined,
      );
      await inSpan("a.b", {}, async () => undefined, traceparent);
    }
    assert.equal(exporter.getFinishedSpans().length, 4);
  });

  void test("a failure is on the span and is passed on as it was", async () => {
    const failure = new Error("boom");
    await assert.rejects(
      inSpan("a.error", {}, () => Promise.reject(failure)),
      (caught) => caught === failure,
    );
    const text: unknown = "only text";
    await assert.rejects(
      inSpan("a.text", {}, () => Promise.reject(text)),
      (caught) => caught === text,
    );
    assert.deepEqual(finished("a.error").status, { code: SpanStatusCode.ERROR, message: "boom" });
    assert.equal(finished("a.error").events[0]?.name, "exception");
    assert.equal(finished("a.text").status.message, "only text");
  });
});

void test("metrics are served as Prometheus text, without anything about the host", async () => {
  metrics.getMeter("fairlead").createCounter("fairlead_test_pushes_total").add(3, { type: "cds" });
  const server = createServer((request, response) => telemetry.serveMetrics(request, response));
  try {
    const response = await fetch(`http://127.0.0.1:${await listen(server)}`);
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    assert.match(text, /^# TYPE fairlead_test_pushes_total counter$/m);
    assert.match(text, /^fairlead_test_pushes_total\{type="cds"\} 3$/m);
    assert.doesNotMatch(text, /host_|process_|command/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

void test("spans go to the OTLP endpoint, at the latest when telemetry ends", async () => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers["content-type"]}`);
    request.resume().on("end", () => response.end());
  });
  const otlpEndpoint = `http://127.0.0.1:${await listen(server)}/`;
  try {
    await telemetry.shutdown();
    telemetry = startTelemetry({ service: "test", otlpEndpoint });
    await inSpan("a.b", {}, async () => undefined);
    await telemetry.shutdown();
    assert.deepEqual(requests, ["POST /v1/traces application/x-protobuf"]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

void test("a collector that does not answer holds the end up for 2 s at most", async () => {
  const server = createServer(() => undefined);
  const otlpEndpoint = `http://127.0.0.1:${await listen(server)}`;
  try {
    await telemetry.shutdown();
    telemetry = startTelemetry({ service: "test", otlpEndpoint });
    await inSpan("a.b", {}, async () => undefined);
    const began = Date.now();
    await telemetry.shutdown();
    assert.ok(Date.now() - began < 3000, `took ${Date.now() - began} ms`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

void test("after the end nothing is traced, and telemetry can start again", async () => {
  await telemetry.shutdown();
  assert.equal(trace.getTracer("x").startSpan("y").isRecording(), false);
  assert.equal(await inSpan("a.b", {}, async () => currentTraceparent()), undefined);
});
