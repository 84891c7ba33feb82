import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { socketPair, turnsUntil } from "../testing/socket-pair.ts";
import { pipeBytes } from "./byte-pipe.ts";

/** Two ends, and what passes on between them. */
async function ends(t: TestContext): Promise<{ readonly left: Socket; readonly right: Socket; passed: () => number }> {
  const { ours: from, peer: left } = await socketPair(t);
  const { ours: to, peer: right } = await socketPair(t);
  left.allowHalfOpen = true;
  right.allowHalfOpen = true;
  let bytes = 0;
  from.pause();
  pipeBytes(from, to, (count) => (bytes += count));
  pipeBytes(to, from, () => undefined);
  return { left, right, passed: () => bytes };
}

async function read(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("bytes of any amount pass on as they are, and each half ends on its own", async (t) => {
  const { left, right } = await ends(t);
  const there: Buffer[] = [];
  for (let i = 0; i < 120; i++) there.push(Buffer.alloc(1 + ((i * 7919) % 90_000), i));
  const arrived = read(right);
  for (const [i, bytes] of there.entries()) {
    left.write(bytes);
    if (i % 10 === 0) await turn();
  }
  left.end();
  assert((await arrived).equals(Buffer.concat(there)));
  const back = read(left);
  right.end(Buffer.alloc(3_000_000, "b"));
  assert((await back).equals(Buffer.alloc(3_000_000, "b")));
});

test("who does not read has the other one wait, and gets all when it reads again", async (t) => {
  const { left, right, passed } = await ends(t);
  right.pause();
  const bytes = Buffer.alloc(64 * 1024 * 1024);
  let taken = false;
  left.write(bytes, () => (taken = true));
  for (let i = 0, before = -1; before !== passed() || i < 50; i++) {
    before = passed();
    for (let turns = 0; turns < 20; turns++) await turn();
  }
  assert.equal(taken, false);
  assert(passed() < bytes.length / 2, `${passed()} bytes are held`);
  let received = 0;
  right.on("data", (chunk: Buffer) => (received += chunk.length));
  right.resume();
  const ended = once(right, "end");
  left.end();
  await ended;
  assert.equal(received, bytes.length);
  await turnsUntil(() => taken);
});
