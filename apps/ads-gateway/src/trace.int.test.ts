import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { startTelemetry } from "@fairlead/telemetry";
import { until } from "@fairlead/testing-basics";
import { XdsTestClient, type XdsTestClientOptions } from "@fairlead/testing-xds";
import { SpanStatusCode } from "@opentelemetry/api";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { clusterForTest, endpointForTest, GatewayUnderTest } from "./gateway-under-test.ts";

function connect(mesh: GatewayUnderTest, options: Partial<XdsTestClientOptions> = {}): XdsTestClient {
  return mesh.closeOnStop(new XdsTestClient({ address: mesh.address, ...options }));
}

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

test("the trace of a change goes on to each proxy's last ACK; a NACK marks it, and metrics count it", async (t) => {
  const exporter = new InMemorySpanExporter();
  const telemetry = startTelemetry({ service: "test", spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const mesh = await GatewayUnderTest.serving([clusterForTest("a"), endpointForTest("a")], { telemetry });
  t.after(async () => {
    await mesh.stop();
    await telemetry.shutdown();
  });
  const spansOf = (revision: number): ReadableSpan[] =>
    exporter
      .getFinishedSpans()
      .filter((span) => span.attributes["fairlead.revision"] === revision && span.spanContext().traceId === traceId);
  const pushesOf = (revision: number) => spansOf(revision).filter((span) => span.name === "ads.push");

  const [good, bad] = [connect(mesh, { nodeId: "good" }), connect(mesh, { nodeId: "bad" })];
  for (const client of [good, bad]) {
    client.subscribe(typeUrls.cluster);
    await client.nextAcked(typeUrls.cluster);
    client.subscribe(typeUrls.endpoint, ["a"]);
    await client.nextAcked(typeUrls.endpoint);
  }
  await mesh.statusWhere((status) => status.connected === 2 && status.pending.length === 0);

  const revision = await mesh.commit({ resources: [clusterForTest("a", "2"), endpointForTest("a", "2")], traceparent });
  await good.nextAcked(typeUrls.cluster);
  const lastOfGood = await good.next(typeUrls.endpoint);
  await bad.nextAcked(typeUrls.endpoint);
  bad.nack(await bad.next(typeUrls.cluster), "will not");
  await until("a push", () => pushesOf(revision).length === 1);
  assert.equal(pushesOf(revision)[0]!.attributes["fairlead.node"], "bad");
  assert.equal(pushesOf(revision)[0]!.status.code, SpanStatusCode.ERROR);
  assert.equal(pushesOf(revision)[0]!.status.message, "will not");
  assert.ok(spansOf(revision).some((span) => span.name === "ads.commit" && span.attributes["fairlead.proxies"] === 2));

  good.ack(lastOfGood);
  await until("two pushes", () => pushesOf(revision).length === 2);
  const push = pushesOf(revision).find((span) => span.attributes["fairlead.node"] === "good");
  assert.equal(push?.attributes["fairlead.types"], 2);
  assert.equal(push?.status.code, SpanStatusCode.UNSET);

  const scrape = await (await fetch(`${mesh.gateway.debugUrl}/metrics`)).text();
  assert.match(scrape, /^pilot_total_xds_rejects\{type="cds"\} 1$/m);
  assert.match(scrape, /^pilot_xds 2$/m);
  assert.match(scrape, /^pilot_proxy_convergence_time_count 1$/m);
  assert.match(scrape, /^pilot_xds_pushes\{type="eds"\} 4$/m);
});
