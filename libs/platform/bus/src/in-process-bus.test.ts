import assert from "node:assert/strict";
import { test } from "node:test";
import { currentTraceparent, inSpan, startTelemetry } from "@fairlead/telemetry";
import { describeBusContract } from "./bus-contract.ts";
import { eventually } from "./bus-harness.ts";
import { InProcessBus } from "./index.ts";
import { RecordingWatch } from "./key-value-contract.ts";

const maxBytes = 1024 * 1024;
const redeliveryPausesMs = [10, 10, 10, 10, 10];

describeBusContract("in-process", async () => {
  const bus = new InProcessBus({ maxBytes, redeliveryPausesMs });
  return {
    maxBytes,
    connect: async () => bus,
    disconnect: async () => bus.simulateDisconnect(),
    reconnect: async (options) => bus.simulateReconnect(options),
    stop: () => bus.close(),
  };
});

void test("a watcher that falls far behind gets a new snapshot in place of an endless queue", async () => {
  const bus = new InProcessBus();
  const keyValue = await bus.keyValue("b");
  const watch = new RecordingWatch(keyValue);
  await watch.sees("complete");
  // Not one turn of the event loop passes between these.
  for (let round = 0; round < 10_050; round++) void keyValue.put("a", new TextEncoder().encode(`${round}`));
  await eventually(() => assert.equal(watch.view.get("a"), "10049"));
  assert.equal(watch.restarts, 1);
  assert.ok(watch.log.length < 100, `${watch.log.length} events`);
  await bus.close();
});

void test("a message carries the trace of its publisher, and its handler runs in the trace of the message, not of whoever woke it", async () => {
  const telemetry = startTelemetry({ service: "test" });
  const bus = new InProcessBus();
  const traces = (traceparent: string | undefined) => traceparent?.split("-")[1];
  const seen: (string | undefined)[][] = [];
  bus.subscribe(
    "fairlead.v1.a",
    ({ traceparent }) => void seen.push([traces(traceparent), traces(currentTraceparent())]),
  );
  const message = { subject: "fairlead.v1.a", data: new Uint8Array(), revision: 0 };
  const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  try {
    const own = await inSpan("test.publish", {}, async (span) => {
      await bus.publish(message);
      await bus.publish({ ...message, traceparent: given });
      return span.spanContext().traceId;
    });
    await bus.publish(message);
    await eventually(() =>
      assert.deepEqual(seen, [
        [own, own],
        [traces(given), traces(given)],
        [undefined, undefined],
      ]),
    );
  } finally {
    await bus.close();
    await telemetry.shutdown();
  }
});
