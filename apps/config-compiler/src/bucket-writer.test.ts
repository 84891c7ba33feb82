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

async function writerOn(bucket: KeyValue, onLost = () => {}): Promise<BucketWriter> {
  const writer = new BucketWriter(bucket, "test", onLost);
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
    put: async (key, value) => {
      writes.push(key);
      return await bucket.put(key, value);
    },
    get: async (key) => await bucket.get(key),
    delete: async (key) => {
      writes.push(`-${key}`);
      await bucket.delete(key);
    },
    watch: (watcher) => bucket.watch(watcher),
  };
  const writer = await writerOn(spied);

  const first = await writer.commit(mesh(cluster("a"), cluster("b")), 1, undefined, never);
  assert.equal(first.changedKeys.length, 4);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  const second = await writer.commit(mesh(cluster("a", "a2")), 2, undefined, never);
  assert.deepEqual(
    second.changedKeys.toSorted(),
    [bucketKeyOf("resource", "cds/a"), bucketKeyOf("scope", "everything")].toSorted(),
  );
  assert.deepEqual(second.removedKeys, [bucketKeyOf("resource", "cds/b")]);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  await writer.commit(mesh(cluster("a", "a2")), 3, undefined, never);
  assert.deepEqual(writes, [headKey], "a revision that changes nothing still moves the head");
  await writer.stop();
});

test("a restarted writer rewrites nothing that is there already, and keeps the revision that content was changed at", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const before = await writerOn(bucket);
  await before.commit(mesh(cluster("a")), 7, undefined, never);
  await before.stop();

  const after = await writerOn(bucket);
  const { changedKeys, removedKeys } = await after.commit(mesh(cluster("a")), 9, undefined, never);
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
  const { changedKeys } = await writer.commit(mesh(cluster("a")), 1, undefined, never);
  assert.ok(changedKeys.includes(key));
  await writer.stop();
});

test("no write is begun after the compiler has lost its lock", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  const lost = AbortSignal.abort(new Error("lock lost"));
  await assert.rejects(writer.commit(mesh(cluster("a")), 1, undefined, lost), /lock lost/);
  assert.equal(await bucket.get(headKey), undefined);
  await writer.stop();
});
