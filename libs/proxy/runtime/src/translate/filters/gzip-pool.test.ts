import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, gunzipSync, type Gzip } from "node:zlib";
import type { BodyTransform } from "@fairlead/proxy-filter";
import { gzipPool } from "./gzip-pool.ts";

const options = { windowBits: 12, memLevel: 5, chunkSize: 4096, flush: constants.Z_SYNC_FLUSH };

/** The body in chunks through one transform. */
function compress(transform: BodyTransform, chunks: readonly Buffer[]): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  const onData = (part: Buffer): void => void parts.push(part);
  const { stream } = transform;
  stream.on("data", onData);
  stream.once("error", reject);
  for (const chunk of chunks) stream.write(chunk);
  transform.finish(() => {
    stream.off("data", onData);
    stream.off("error", reject);
    transform.release(true);
    resolve(Buffer.concat(parts));
  });
  return promise;
}

/** Bytes that do not compress well, so that they come out in many parts. */
function noise(bytes: number, seed: number): Buffer {
  let state = seed;
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >> 16),
  );
}

test("one stream compresses one body after the other, and nothing of a body is in the next", async () => {
  const take = gzipPool(options);
  const used = new Set<object>();
  for (const [i, bytes] of [10, 0, 200_000, 5, 70_000].entries()) {
    const transform = take();
    used.add(transform.stream);
    const chunks = [noise(bytes, i + 1), Buffer.from(`body ${i}`)];
    const compressed = await compress(transform, chunks);
    assert.deepEqual(gunzipSync(compressed), Buffer.concat(chunks));
  }
  assert.equal(used.size, 1);
});

test("bodies at the same time have streams of their own", async () => {
  const take = gzipPool(options);
  const bodies = Array.from({ length: 8 }, (_, i) => [noise(30_000, i + 1)]);
  const compressed = await Promise.all(bodies.map((body) => compress(take(), body)));
  for (const [i, body] of bodies.entries()) assert.deepEqual(gunzipSync(compressed[i]!), body[0]);
});

test("a stream whose body was given up is not used again", async () => {
  const take = gzipPool(options);
  const given = take();
  given.stream.on("error", () => undefined);
  given.stream.write(noise(1_000_000, 1));
  given.release(false);
  assert.equal((given.stream as Gzip).destroyed, true);
  const next = take();
  assert.notEqual(next.stream, given.stream);
  assert.deepEqual(gunzipSync(await compress(next, [Buffer.from("whole")])), Buffer.from("whole"));
});
