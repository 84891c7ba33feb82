import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayBuffer } from "./replay-buffer.ts";

test("a body in very small chunks is not kept for as long as one in large chunks", () => {
  const large = new ReplayBuffer(1024 * 1024);
  for (let i = 0; i < 15; i++) large.add(Buffer.alloc(64 * 1024));
  assert.equal(large.full, false);
  const small = new ReplayBuffer(1024 * 1024);
  while (!small.full) small.add(Buffer.alloc(1));
  assert(small.chunks.length < 10_000, `${small.chunks.length} chunks`);
});
