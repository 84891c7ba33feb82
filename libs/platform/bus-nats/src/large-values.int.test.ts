import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Bus } from "@fairlead/bus";
import { createLogger } from "@fairlead/logging";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { connectNats } from "./index.ts";

void describe("values of nearly a megabyte", () => {
  let nats: TestNats;
  let bus: Bus;
  const connected = async (name: string) =>
    await connectNats({ servers: nats.url, name, logger: createLogger({ service: name, level: "silent" }) });
  before(async () => {
    nats = await startTestNats();
    bus = await connected("writer");
  });
  after(async () => {
    await bus.close();
    await nats.stop();
  });

  void test("a bucket that has more of them than the server keeps for a slow reader is read without a lost connection", async () => {
    const count = 120;
    const bucket = await bus.keyValue("large");
    for (let index = 0; index < count; index++) await bucket.put(`key.${index}`, randomBytes(900_000));

    const reader = await connected("reader");
    let losses = 0;
    reader.onState((state) => (losses += state === "disconnected" ? 1 : 0));
    const complete = Promise.withResolvers<void>();
    let read = 0;
    const watch = (await reader.keyValue("large")).watch({
      entry: () => {
        read += 1;
        // It is busy with something else, and takes nothing meanwhile.
        if (read === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      },
      snapshotComplete: () => complete.resolve(),
      restarted: () => complete.reject(new Error("it began anew")),
    });
    await complete.promise;
    await watch.stop();
    await reader.close();
    assert.deepEqual({ read, losses }, { read: count, losses: 0 });
  });
});
