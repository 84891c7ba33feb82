import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { assertFree, FreePorts, isFree, portsFrom } from "./ports.ts";

const taker = createServer();
after(() => taker.close());

test("a port that is taken is named with its use, and with how to choose others", async () => {
  const free = new FreePorts();
  const plan = await free.plan();
  await assertFree(plan);
  taker.listen(plan.firstSidecar.outbound, "127.0.0.1");
  await once(taker, "listening");
  await assert.rejects(assertFree(plan), (error: Error & { code?: string }) => {
    assert.equal(error.code, "FL_UP_PORT_TAKEN");
    assert.ok(error.message.includes(`${plan.firstSidecar.outbound} (first sidecar, outbound)`), error.message);
    assert.match(error.message, /--free-ports.*--port-base/);
    return true;
  });
  assert.equal(await isFree(plan.firstSidecar.outbound), false);
});

test("a base gives nine different ports from it on", () => {
  const { controlPlane, firstSidecar } = portsFrom(20_000);
  const ports = [...Object.values(controlPlane), ...Object.values(firstSidecar)];
  assert.deepEqual(
    ports.toSorted((a, b) => a - b),
    [20_000, 20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007, 20_008],
  );
});

test("free ports are handed out once, below those of outgoing connections", async () => {
  const free = new FreePorts();
  const ports = await Promise.all(Array.from({ length: 40 }, async () => await free.take()));
  assert.equal(new Set(ports).size, 40);
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_768));
});
