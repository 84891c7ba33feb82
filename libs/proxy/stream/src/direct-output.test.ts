import assert from "node:assert/strict";
import { test } from "node:test";
import { withLeakCheck } from "@fairlead/buffer/testing";
import { listenToBytes } from "./direct-input.ts";
import { DirectOutput } from "./direct-output.ts";
import { socketPair, turnsUntil } from "./testing/socket-pair.ts";

test("what the system does not take waits, and what is written to the socket behind it keeps its place", async (t) => {
  const { ours, peer } = await socketPair(t);
  const output = new DirectOutput(ours);
  peer.pause();
  const sent: Buffer[] = [];
  let direct = 0;
  for (let i = 0; sent.length < 400 || output.pendingBytes === 0; i++) {
    const bytes = Buffer.alloc(16 * 1024, i);
    sent.push(bytes);
    if (output.write(bytes)) direct++;
    else ours.write(bytes);
    if (sent.length > 4000) break;
  }
  assert(direct > 0 && direct < sent.length, `${direct} of ${sent.length} were written directly`);
  assert(output.pendingBytes > 0);
  ours.end();
  const received: Buffer[] = [];
  for await (const chunk of peer as AsyncIterable<Buffer>) received.push(chunk);
  assert(Buffer.concat(received).equals(Buffer.concat(sent)));
  await turnsUntil(() => output.pendingBytes === 0);
});

test("memory that was written from goes back, whether the peer takes it, or the socket is destroyed before", async (t) => {
  for (const ending of ["taken", "destroyed"] as const) {
    const { ours, peer } = await socketPair(t);
    peer.pause();
    await withLeakCheck(async ({ pool }) => {
      const output = new DirectOutput(ours);
      // Until the system takes no more.
      for (let n = 0; output.pendingBytes === 0; n++) {
        assert(n < 10_000);
        const slab = pool.take(64 * 1024);
        assert.equal(output.write(slab.bytes, slab), true);
      }
      assert.equal(pool.stats.taken, 1);
      if (ending === "taken") peer.resume();
      else ours.destroy();
      await turnsUntil(() => pool.stats.taken === 0);
    });
  }
});

test("a peer that resets while bytes wait for it is noticed, also where nothing is read", async (t) => {
  const { ours, peer } = await socketPair(t);
  listenToBytes(ours, () => undefined);
  let code: string | undefined;
  const closed = new Promise((resolve) => {
    ours.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    ours.on("close", resolve);
  });
  ours.pause();
  const output = new DirectOutput(ours);
  const block = Buffer.alloc(64 * 1024);
  while (output.pendingBytes === 0) assert(output.write(block));
  peer.resetAndDestroy();
  await closed;
  assert.equal(output.pendingBytes, 0);
  assert.match(code ?? "", /^(?:ECONNRESET|EPIPE)$/);
});
