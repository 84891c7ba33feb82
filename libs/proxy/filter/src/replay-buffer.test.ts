import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayBuffer } from "./replay-buffer.ts";

test("a body in very small chunks takes no more room than one in large chunks", () => {
  const large = new ReplayBuffer(1024 * 1024);
  for (let i = 0; i < 15; i++) large.add(Buffer.alloc(64 * 1024));
  assert.equal(large.full, false);
  const small = new ReplayBuffer(1024 * 1024);
  let added = 0;
  while (!small.full) {
    small.add(Buffer.of(added % 251));
    added++;
  }
  assert(added > 1_000_000, `${added} bytes`);
  assert(small.chunks.length < 50, `${small.chunks.length} chunks`);
  assert(Buffer.concat(small.chunks).every((byte, at) => byte === at % 251));
});

test("a body that was dropped is not whole any more, unless there was none", () => {
  const body = new ReplayBuffer(1000);
  body.drop();
  assert.equal(body.complete, true);
  body.add(Buffer.from("abc"));
  assert.equal(body.complete, true);
  body.drop();
  assert.equal(body.complete, false);
  body.add(Buffer.from("def"));
  assert.deepEqual(body.chunks, []);
});
