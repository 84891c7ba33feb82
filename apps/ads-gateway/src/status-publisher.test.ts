import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { InProcessBus, subjects } from "@fairlead/bus";
import { type GatewayStatus, GatewayStatusSchema, PendingProxy_State } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import { pendingMessages, type PendingOfNode, StatusPublisher } from "./status-publisher.ts";

const logger = createLogger({ service: "test", level: "silent" });

function pendingOf(nodeId: string, first: number, last: number): PendingOfNode {
  return { nodeId, typeUrl: "t", state: "SENT", first, last, detail: "", sinceMs: 1 };
}

test("what does not fit is one entry a type that keeps back the same revisions", () => {
  const messages = pendingMessages([pendingOf("a", 5, 5), pendingOf("b", 7, 8), pendingOf("c", 3, 4)], 1);
  assert.equal(messages.length, 2);
  assert.deepEqual(
    messages.map((entry) => [entry.nodeId, Number(entry.firstRevision), Number(entry.lastRevision)]),
    [
      ["a", 5, 5],
      ["*", 3, 8],
    ],
  );
  assert.match(messages[1]!.detail, /^2 more/);
  assert.equal(messages[1]!.state, PendingProxy_State.BLOCKED);
});

test("changes that come together are one message; leaving is the last one", async () => {
  const bus = new InProcessBus();
  const statuses: GatewayStatus[] = [];
  let seen: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (seen = resolve));
  await bus.subscribe(subjects.proxyStatus, ({ data }) => {
    statuses.push(fromBinary(GatewayStatusSchema, data));
    seen();
  }).ready;
  const facts = { gatewayId: "g", debugUrl: "", revision: 1, connected: 0, nodeIds: [], pending: [] };
  const publisher = new StatusPublisher({ bus, logger, read: () => facts });
  publisher.start();
  await first;
  const before = statuses.length;
  const next = new Promise<void>((resolve) => (seen = resolve));
  for (let index = 0; index < 100; index++) publisher.changed();
  await next;
  assert.equal(statuses.length, before + 1);
  const last = new Promise<void>((resolve) => (seen = resolve));
  await publisher.stop();
  await last;
  assert.equal(statuses.at(-1)?.leaving, true);
  await bus.close();
});
