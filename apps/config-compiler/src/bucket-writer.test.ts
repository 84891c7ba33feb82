import assert from "node:assert/strict";
import { test } from "node:test";
import { buckets, InProcessBus, type KeyValue } from "@fairlead/bus";
import type { CompiledMesh } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { bucketKeyOf, type CompiledResource, decodeEntry, headKey, parseBucketKey } from "@fairlead/snapshot";
import { BucketWriter } from "./bucket-writer.ts";

function cluster(name: string, content = name): CompiledResource {
  return {
    key: `cds/${name}`,
    typeUrl: typeUrls.cluster,
    name,
    version: content,
    revision: 0,
    body: Buffer.from(content),
    onDemand: false,
    provenance: [{ kind: "service", key: name }],
  };
}

function mesh(...resources: CompiledResource[]): CompiledMesh {
  const keys = new Set(resources.map(({ key }) => key));
  return {
    revision: 0,
    resources: new Map(resources.map((resource) => [resource.key, resource])),
    scopes: new Map([["everything", { id: "everything", keys }]]),
    nodes: new Map([["n1", { nodeId: "n1", scopeId: "everything", keys: new Set<string>() }]]),
    rejected: [],
    policiesInForce: new Map(),
    contributions: new Map(),
  };
}

const never = new AbortController().signal;

async function writerOn(bucket: KeyValue): Promise<BucketWriter> {
  const writer = new BucketWriter(bucket, "test");
  await writer.loaded;
  return writer;
}

test("writes what differs, deletes what is gone, and head last", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writes: string[] = [];
  const spied: KeyValue = {
    ...bucket,
    put: async (key, value, options) => {
      writes.push(key);
      return await bucket.put(key, value, options);
    },
    get: async (key) => await bucket.get(key),
    delete: async (key, options) => {
      writes.push(`-${key}`);
      return await bucket.delete(key, options);
    },
    watch: (watcher) => bucket.watch(watcher),
  };
  const writer = await writerOn(spied);

  const first = await writer.commitAll(mesh(cluster("a"), cluster("b")), {
    revision: 1,
    traceparent: undefined,
    aborted: never,
  });
  assert.equal(first.changedKeys.length, 4);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  const second = await writer.commitAll(mesh(cluster("a", "a2")), {
    revision: 2,
    traceparent: undefined,
    aborted: never,
  });
  assert.deepEqual(
    second.changedKeys.toSorted(),
    [bucketKeyOf("resource", "cds/a"), bucketKeyOf("scope", "everything")].toSorted(),
  );
  assert.deepEqual(second.removedKeys, [bucketKeyOf("resource", "cds/b")]);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  await writer.commitAll(mesh(cluster("a", "a2")), { revision: 3, traceparent: undefined, aborted: never });
  assert.deepEqual(writes, [headKey], "a revision that changes nothing still moves the head");
  await writer.stop();
});

test("a restarted writer rewrites nothing that is there already, and keeps the revision that content was changed at", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const before = await writerOn(bucket);
  await before.commitAll(mesh(cluster("a")), { revision: 7, traceparent: undefined, aborted: never });
  await before.stop();

  const after = await writerOn(bucket);
  const { changedKeys, removedKeys } = await after.commitAll(mesh(cluster("a")), {
    revision: 9,
    traceparent: undefined,
    aborted: never,
  });
  assert.deepEqual([changedKeys, removedKeys], [[], []]);
  const key = bucketKeyOf("resource", "cds/a");
  const decoded = decodeEntry(parseBucketKey(key)!, (await bucket.get(key))!.value!);
  assert.equal(decoded.kind === "resource" && decoded.value.revision, 7);
  await after.stop();
});

test("damaged entries are replaced", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const key = bucketKeyOf("resource", "cds/a");
  await bucket.put(key, Buffer.from("not a message"));
  const writer = await writerOn(bucket);
  const { changedKeys } = await writer.commitAll(mesh(cluster("a")), {
    revision: 1,
    traceparent: undefined,
    aborted: never,
  });
  assert.ok(changedKeys.includes(key));
  await writer.stop();
});

test("no write is begun after the compiler has lost its lock", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  const lost = AbortSignal.abort(new Error("lock lost"));
  await assert.rejects(
    writer.commitAll(mesh(cluster("a")), { revision: 1, traceparent: undefined, aborted: lost }),
    /lock lost/,
  );
  assert.equal(await bucket.get(headKey), undefined);
  await writer.stop();
});

test("a difference is written without a look at the rest", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  await writer.commitAll(mesh(cluster("a"), cluster("b")), { revision: 1, traceparent: undefined, aborted: never });
  const unchanged = { changed: [], removed: [] };
  const result = await writer.commit(
    {
      resources: { changed: [cluster("a", "a2")], removed: ["cds/b"] },
      scopes: unchanged,
      nodes: { changed: [], removed: ["n1"] },
      policies: unchanged,
    },
    { revision: 2, traceparent: undefined, aborted: never },
  );
  assert.deepEqual(result, {
    changedKeys: [bucketKeyOf("resource", "cds/a")],
    removedKeys: [bucketKeyOf("resource", "cds/b"), bucketKeyOf("node", "n1")],
  });
  assert.equal(await bucket.get(bucketKeyOf("node", "n1")), undefined);
  await writer.stop();
});

test("a writer writes nothing once another has written, in the middle of a commit too", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const paused = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  let complete: ((sequence: number) => void) | undefined;
  const slow: KeyValue = {
    ...bucket,
    put: async (key, value, options) => {
      began.resolve();
      await paused.promise;
      return await bucket.put(key, value, options);
    },
    get: async (key) => await bucket.get(key),
    delete: async (key, options) => await bucket.delete(key, options),
    // It loads, and hears nothing any more: a process that is stopped.
    watch: (watcher) => {
      complete = (sequence) => watcher.snapshotComplete(sequence);
      return { stop: async () => undefined };
    },
  };
  const first = await writerOn(bucket);
  await first.commitAll(mesh(cluster("a")), { revision: 1, traceparent: undefined, aborted: never });
  await first.stop();

  const old = new BucketWriter(slow, "old");
  complete!(await sequenceOf(bucket));
  const stale = old.commitAll(mesh(cluster("a", "old")), { revision: 2, traceparent: undefined, aborted: never });
  await began.promise;

  const next = await writerOn(bucket);
  await next.commitAll(mesh(cluster("a", "new")), { revision: 3, traceparent: undefined, aborted: never });
  paused.resolve();
  await assert.rejects(stale, { code: "FL_BUS_CONFLICT" });
  await assert.rejects(
    old.commitAll(mesh(cluster("a", "old")), { revision: 4, traceparent: undefined, aborted: never }),
    { code: "FL_BUS_CONFLICT" },
  );
  const key = bucketKeyOf("resource", "cds/a");
  const decoded = decodeEntry(parseBucketKey(key)!, (await bucket.get(key))!.value!);
  assert.equal(decoded.kind === "resource" && Buffer.from(decoded.value.body).toString(), "new");
  assert.equal(next.lost.aborted, false);
  await next.stop();
});

async function sequenceOf(bucket: KeyValue): Promise<number> {
  return await new Promise((resolve) => {
    bucket.watch({ entry: () => undefined, snapshotComplete: resolve, restarted: () => undefined });
  });
}

test("a writer that sees somebody else's write is lost; its own are no surprise", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  await writer.commitAll(mesh(cluster("a")), { revision: 1, traceparent: undefined, aborted: never });
  await sequenceOf(bucket);
  assert.equal(writer.lost.aborted, false);
  const lost = new Promise((resolve) => writer.lost.addEventListener("abort", resolve));
  await bucket.delete(bucketKeyOf("resource", "cds/a"));
  await lost;
  await writer.stop();
});
