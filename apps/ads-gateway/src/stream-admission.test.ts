import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type TestContext, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { type Metadata, status } from "@grpc/grpc-js";
import { StreamAdmission } from "./stream-admission.ts";

class Call extends EventEmitter {
  cancelled = false;
  getPeer(): string {
    return "127.0.0.1:1";
  }
}

function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const clock = { now: 0 };
  let refused = 0;
  const admission = new StreamAdmission({
    perSecond: 2,
    maxWaitMs: 1000,
    logger: createLogger({ service: "test", level: "silent" }),
    onRefused: () => refused++,
    now: () => clock.now,
  });
  const pass = (ms: number) => {
    clock.now += ms;
    t.mock.timers.tick(ms);
  };
  return { admission, pass, refused: () => refused };
}

test("streams beyond the rate wait for their turn; those beyond that are told when to come again", (t) => {
  const { admission, pass, refused } = start(t);
  const opened: number[] = [];
  const refusals: { code: status; details: string; metadata: Metadata }[] = [];
  for (let index = 0; index < 5; index++) {
    const call = new Call();
    call.on("error", (refusal) => refusals.push(refusal));
    admission.admit(call, () => opened.push(index));
  }
  assert.deepEqual(opened, [0, 1]);
  assert.equal(refused(), 1);
  assert.equal(refusals[0]?.code, status.RESOURCE_EXHAUSTED);
  assert.match(refusals[0].details, /FL_GATEWAY_BUSY.*1500 ms/);
  assert.deepEqual(refusals[0].metadata.get("grpc-retry-pushback-ms"), ["1500"]);
  pass(500);
  assert.deepEqual(opened, [0, 1, 2]);
  pass(500);
  assert.deepEqual(opened, [0, 1, 2, 3]);
});

test("a stream that was cancelled while it waited is not opened", (t) => {
  const { admission, pass } = start(t);
  const opened: number[] = [];
  const calls = [0, 1, 2].map((index) => {
    const call = new Call();
    admission.admit(call, () => opened.push(index));
    return call;
  });
  calls[2]!.cancelled = true;
  pass(500);
  assert.deepEqual(opened, [0, 1]);
});
