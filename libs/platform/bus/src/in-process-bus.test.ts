import assert from "node:assert/strict";
import { test } from "node:test";
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

test("a watcher that falls far behind gets a new snapshot in place of an endless queue", async () => {
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
