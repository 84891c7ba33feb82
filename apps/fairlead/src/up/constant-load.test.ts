import assert from "node:assert/strict";
import { test } from "node:test";
import { ConstantLoad } from "./constant-load.ts";
import type { CallOutcome } from "./outbound-caller.ts";
import { eventually } from "./readiness.ts";
import { trafficLine } from "./sample-traffic.ts";

test("counts every call once: served by label, failed with the reason", async () => {
  let calls = 0;
  const load = new ConstantLoad({
    callsPerSecond: 500,
    label: ({ body }) => body,
    async call(): Promise<CallOutcome> {
      calls += 1;
      if (calls === 3) return { status: 503, body: "no healthy upstream" };
      return { status: 200, body: calls % 2 === 0 ? "v2" : "v1" };
    },
  });
  load.start();
  await eventually("10 calls", async () => load.settled >= 10 || undefined, 5000);
  const summary = await load.stop();
  assert.equal(summary.calls, calls);
  assert.equal(summary.failures, 1);
  assert.deepEqual(summary.examples, ["503 no healthy upstream"]);
  assert.equal(
    [...summary.served.values()].reduce((a, b) => a + b, 0),
    calls - 1,
  );
  assert.equal(load.take().calls, 0);
});

test("a mesh that hangs does not fill the memory: calls beyond the limit count as failed", async () => {
  const { promise, resolve } = Promise.withResolvers<CallOutcome>();
  const load = new ConstantLoad({ callsPerSecond: 10_000, label: () => "v1", call: async () => await promise });
  load.start();
  await eventually("more than the limit", async () => load.settled > 50 || undefined, 5000);
  resolve({ status: 200, body: "" });
  const summary = await load.stop();
  assert.equal(summary.served.get("v1"), 256);
  assert.match(summary.examples[0]!, /too many calls/);
});

test("the line of the sample traffic", () => {
  const served = new Map([
    ["v2", 4],
    ["v1", 11],
  ]);
  assert.equal(
    trafficLine({ calls: 15, failures: 0, examples: [], served }),
    "15 calls, 0 failed; reviews v1 11, v2 4",
  );
  assert.equal(
    trafficLine({ calls: 2, failures: 2, examples: ["503 x", "y"], served: new Map() }),
    "2 calls, 2 FAILED (503 x)",
  );
});
