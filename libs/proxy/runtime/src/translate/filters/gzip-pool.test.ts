import assert from "node:assert/strict";
import type { Transform } from "node:stream";
import { test } from "node:test";
import { constants, gunzipSync } from "node:zlib";
import { PoolContext } from "@fairlead/pool";
import type { BodyTransform } from "@fairlead/proxy-filter";
import { gzipPool } from "./gzip-pool.ts";

const options = { windowBits: 12, memLevel: 5, chunkSize: 4096, flush: constants.Z_SYNC_FLUSH };

/** A body in chunks, given in one request. @param create of a pool @param used gets the stream that compressed it */
async function compress(
  create: (pools: PoolContext) => BodyTransform,
  chunks: readonly Buffer[],
  used?: Set<object>,
): Promise<Buffer> {
  const pools = new PoolContext();
  const transform = create(pools);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  const onData = (part: Buffer): void => void parts.push(part);
  const { stream } = transform;
  used?.add(stream);
  stream.on("data", onData);
  stream.once("error", reject);
  for (const chunk of chunks) stream.write(chunk);
  transform.finish(() => {
    stream.off("data", onData);
    stream.off("error", reject);
    pools.end();
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
  const create = gzipPool(options);
  const used = new Set<object>();
  for (const [i, bytes] of [10, 0, 200_000, 5, 70_000].entries()) {
    const chunks = [noise(bytes, i + 1), Buffer.from(`body ${i}`)];
    const compressed = await compress(create, chunks, used);
    assert.deepEqual(gunzipSync(compressed), Buffer.concat(chunks));
  }
  assert.equal(used.size, 1);
});

test("bodies at the same time have streams of their own", async () => {
  const create = gzipPool(options);
  const bodies = Array.from({ length: 8 }, (_, i) => [noise(30_000, i + 1)]);
  const compressed = await Promise.all(bodies.map((body) => compress(create, body)));
  for (const [i, body] of bodies.entries()) assert.deepEqual(gunzipSync(compressed[i]!), body[0]);
});

test("a stream whose body was given up is not used again, whether it had begun, or has ended and not told all of it", async () => {
  const create = gzipPool(options);
  const begun = (stream: Transform): void => void stream.write(noise(1_000_000, 1));
  const finishing = (stream: Transform, finish: BodyTransform["finish"]): void => {
    begun(stream);
    finish(() => undefined);
  };
  for (const work of [begun, finishing]) {
    const pools = new PoolContext();
    const transform = create(pools);
    const { stream } = transform;
    stream.on("error", () => undefined);
    work(stream, (done) => transform.finish(done));
    pools.end();
    assert.equal(stream.destroyed, true);
    const used = new Set<object>();
    assert.deepEqual(gunzipSync(await compress(create, [Buffer.from("whole")], used)), Buffer.from("whole"));
    assert.equal(used.has(stream), false);
  }
});
