import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { InProcessBus, subjects } from "@fairlead/bus";
import { type GatewayStatus, GatewayStatusSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import { pauseAfter, StatusPublisher } from "./status-publisher.ts";

const logger = createLogger({ service: "test", level: "silent" });

test("changes that come together are one message; leaving is the last one", async () => {
  const bus = new InProcessBus();
  const statuses: GatewayStatus[] = [];
  let seen: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (seen = resolve));
  await bus.subscribe(subjects.proxyStatus, ({ data }) => {
    statuses.push(fromBinary(GatewayStatusSchema, data));
    seen();
  }).ready;
  const facts = {
    gatewayId: "g",
    debugUrl: "",
    revision: 1,
    connected: 0,
    nodeIds: [],
    nodeIdsVersion: 1,
    pending: [],
    refusals: [],
  };
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

test("statuses that are costly to make come less often, but four times a second at least", () => {
  assert.deepEqual(
    [0, 0.25, 1, 10, 1000].map((costMs) => pauseAfter(costMs)),
    [5, 5, 20, 200, 250],
  );
});
