import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { buckets, InProcessBus, type KeyValue } from "@fairlead/bus";
import type { MeshDifference } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { ConfigPushedSchema } from "@fairlead/fairlead-api";
import {
  bucketKeyOf,
  type CompiledResource,
  decodeEntry,
  headKey,
  parseBucketKey,
  rejectedKey,
  unpack,
} from "@fairlead/snapshot";
import { BucketContent } from "./bucket-content.ts";
import type { BucketChange } from "./bucket-entry.ts";
import { BucketReplica } from "./bucket-replica.ts";
import { BucketWriter, type CommitOptions, type CommitResult } from "./bucket-writer.ts";
import { SoleWriter } from "./sole-writer.ts";

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

const unchanged = { changed: [], removed: [] };

/** A mesh of these alone, as the first round that a compiler has. */
function mesh(...resources: CompiledResource[]): MeshDifference {
  const keys = new Set(resources.map(({ key }) => key));
  return {
    resources: { changed: resources, removed: [] },
    scopes: { changed: [{ id: "everything", keys }], removed: [] },
    nodes: { changed: [{ nodeId: "n1", scopeId: "everything", keys: new Set<string>() }], removed: [] },
    policies: unchanged,
  };
}

const never = new AbortController().signal;

/** A compiler's part that writes, from its claim on. */
class WriterUnderTest {
  readonly replica: BucketReplica;
  #sole: SoleWriter | undefined;
  #writer: BucketWriter | undefined;

  constructor(bucket: KeyValue) {
    this.replica = new BucketReplica(bucket);
  }

  async claim(bucket: KeyValue): Promise<this> {
    this.#sole = await SoleWriter.claim(bucket, this.replica, "test", never);
    this.#writer = new BucketWriter({ writer: this.#sole, replica: this.replica, compilerId: "test" });
    return this;
  }

  get lost(): AbortSignal {
    return this.#sole!.lost;
  }

  async commitAll(all: MeshDifference, options: Partial<CommitOptions>): Promise<CommitResult> {
    const content = new BucketContent();
    content.take(all);
    return await this.#commit(content.differenceTo(this.replica), options);
  }

  async commit(difference: MeshDifference, options: Partial<CommitOptions>): Promise<CommitResult> {
    return await this.#commit(new BucketContent().take(difference), options);
  }

  async stop(): Promise<void> {
    await this.replica.stop();
  }

  async #commit(change: BucketChange, options: Partial<CommitOptions>): Promise<CommitResult> {
    return await this.#writer!.commit(change, {
      revision: 1,
      traceparent: undefined,
      aborted: never,
      rejected: [],
      ...options,
    });
  }
}

async function writerOn(bucket: KeyValue): Promise<WriterUnderTest> {
  return await new WriterUnderTest(bucket).claim(bucket);
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

  const first = await writer.commitAll(mesh(cluster("a"), cluster("b")), { revision: 1 });
  assert.equal(first.changedKeys.length, 4);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  const second = await writer.commitAll(mesh(cluster("a", "a2")), { revision: 2 });
  assert.deepEqual(
    second.changedKeys.toSorted(),
    [bucketKeyOf("resource", "cds/a"), bucketKeyOf("scope", "everything")].toSorted(),
  );
  assert.deepEqual(second.removedKeys, [bucketKeyOf("resource", "cds/b")]);
  assert.equal(writes.at(-1), headKey);

  writes.length = 0;
  await writer.commitAll(mesh(cluster("a", "a2")), { revision: 3 });
  assert.deepEqual(writes, [headKey], "a revision that changes nothing still moves the head");
  await writer.stop();
});

test("a restarted writer rewrites nothing that is there already, and keeps the revision that content was changed at", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const before = await writerOn(bucket);
  await before.commitAll(mesh(cluster("a")), { revision: 7 });
  await before.stop();

  const after = await writerOn(bucket);
  const { changedKeys, removedKeys } = await after.commitAll(mesh(cluster("a")), { revision: 9 });
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
  const { changedKeys } = await writer.commitAll(mesh(cluster("a")), { revision: 1 });
  assert.ok(changedKeys.includes(key));
  await writer.stop();
});

test("no write is begun after the compiler has lost its lock", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  const lost = AbortSignal.abort(new Error("lock lost"));
  await assert.rejects(writer.commitAll(mesh(cluster("a")), { aborted: lost }), /lock lost/);
  assert.equal(await bucket.get(headKey), undefined);
  await writer.stop();
});

test("a difference is written without a look at the rest", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  await writer.commitAll(mesh(cluster("a"), cluster("b")), { revision: 1 });
  const result = await writer.commit(
    {
      resources: { changed: [cluster("a", "a2")], removed: ["cds/b"] },
      scopes: unchanged,
      nodes: { changed: [], removed: ["n1"] },
      policies: unchanged,
    },
    { revision: 2 },
  );
  assert.deepEqual(result, {
    changedKeys: [bucketKeyOf("resource", "cds/a")],
    removedKeys: [bucketKeyOf("resource", "cds/b"), bucketKeyOf("node", "n1")],
    heldBack: [],
  });
  assert.equal(await bucket.get(bucketKeyOf("node", "n1")), undefined);
  await writer.stop();
});

test("a writer writes nothing once another has made its claim, in the middle of a commit too", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const paused = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  let isStopped = false;
  // A process that is stopped: its writes are on their way, and it hears nothing any more.
  const slow: KeyValue = {
    put: async (key, value, options) => {
      if (isStopped) {
        began.resolve();
        await paused.promise;
      }
      return await bucket.put(key, value, options);
    },
    get: async (key) => await bucket.get(key),
    delete: async (key, options) => await bucket.delete(key, options),
    watch: (watcher) => bucket.watch({ ...watcher, entry: (entry) => isStopped || watcher.entry(entry) }),
  };
  const old = await writerOn(slow);
  await old.commitAll(mesh(cluster("a")), { revision: 1 });
  isStopped = true;
  const stale = old.commitAll(mesh(cluster("a", "old")), { revision: 2 });
  await began.promise;

  const next = await writerOn(bucket);
  await next.commitAll(mesh(cluster("a", "new")), { revision: 3 });
  paused.resolve();
  await assert.rejects(stale, { code: "FL_BUS_CONFLICT" });
  await assert.rejects(old.commitAll(mesh(cluster("a", "old")), { revision: 4 }), { code: "FL_BUS_CONFLICT" });
  assert.equal(await contentOf(bucket, "cds/a"), "new");
  assert.equal(next.lost.aborted, false);
  await Promise.all([old.stop(), next.stop()]);
});

async function contentOf(bucket: KeyValue, id: string): Promise<string | undefined> {
  const key = bucketKeyOf("resource", id);
  const decoded = decodeEntry(parseBucketKey(key)!, (await bucket.get(key))!.value!);
  return decoded.kind === "resource" ? Buffer.from(decoded.value.body).toString() : undefined;
}

test("of two that claim an empty bucket at once one gets it; the other commits nothing", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const [one, two] = await Promise.all([writerOn(bucket), writerOn(bucket)]);
  await assert.rejects(one.commitAll(mesh(cluster("a", "one")), {}));
  assert.equal(await bucket.get(headKey), undefined);
  // A write that was begun behind the one that failed may have been taken: it is noticed, and a further claim makes up for it.
  await two.claim(bucket);
  await two.commitAll(mesh(cluster("a", "two")), {});
  assert.equal(await contentOf(bucket, "cds/a"), "two");
  assert.notEqual(await bucket.get(headKey), undefined);
  await assert.rejects(one.commitAll(mesh(cluster("a", "one")), {}));
  await Promise.all([one.stop(), two.stop()]);
});

test("a claim is made only once everything is heard of that others wrote", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const before = await writerOn(bucket);
  await before.commitAll(mesh(cluster("a")), { revision: 1 });
  const held: (() => void)[] = [];
  let isLate = false;
  const late: KeyValue = {
    put: async (key, value, options) => await bucket.put(key, value, options),
    get: async (key) => await bucket.get(key),
    delete: async (key, options) => await bucket.delete(key, options),
    watch: (watcher) =>
      bucket.watch({
        ...watcher,
        entry: (entry) => (isLate ? held.push(() => watcher.entry(entry)) : watcher.entry(entry)),
      }),
  };
  const standby = new WriterUnderTest(late);
  await standby.replica.hears(never);
  isLate = true;
  await before.commitAll(mesh(cluster("a", "newest")), { revision: 2 });
  const claiming = standby.claim(late);
  await new Promise((resolve) => setImmediate(resolve));
  isLate = false;
  for (const hear of held) hear();
  await claiming;
  const { changedKeys } = await standby.commitAll(mesh(cluster("a", "newest")), { revision: 2 });
  assert.deepEqual(changedKeys, []);
  await Promise.all([before.stop(), standby.stop()]);
});

test("what the bus does not take because of its size is held back, with what it was made of; all else is written", async (t) => {
  const bus = new InProcessBus({ maxBytes: 40_000 });
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  await writer.commitAll(mesh(cluster("a"), cluster("b")), { revision: 1 });
  const large = cluster("a", randomBytes(50_000).toString("base64"));
  const { changedKeys, heldBack } = await writer.commit(
    { ...mesh(), resources: { changed: [large, cluster("b", "b2"), cluster("c", "y".repeat(15_000))], removed: [] } },
    { revision: 2 },
  );
  assert.deepEqual(
    changedKeys.toSorted(),
    [bucketKeyOf("resource", "cds/b"), bucketKeyOf("resource", "cds/c"), bucketKeyOf("scope", "everything")].toSorted(),
  );
  assert.deepEqual(
    heldBack.map(({ provenance, code }) => [provenance, code]),
    [[{ kind: "service", key: "a" }, "FL_BUS_MESSAGE_TOO_LARGE"]],
  );
  assert.equal(await contentOf(bucket, "cds/a"), "a");
  const other = await writer.commit({ ...mesh(), scopes: unchanged }, { revision: 3 });
  assert.equal(other.heldBack.length, 1, "it is rejected until it is smaller");
  const smaller = { ...mesh(), resources: { changed: [cluster("a", "a3")], removed: [] } };
  assert.deepEqual((await writer.commit(smaller, { revision: 4 })).heldBack, []);
  assert.equal(await contentOf(bucket, "cds/a"), "a3");
  await writer.stop();
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
  await writer.commitAll(mesh(cluster("a")), { revision: 1 });
  await sequenceOf(bucket);
  assert.equal(writer.lost.aborted, false);
  const lost = new Promise((resolve) => writer.lost.addEventListener("abort", resolve));
  await bucket.delete(bucketKeyOf("resource", "cds/a"));
  await lost;
  await writer.stop();
});

test("all that is rejected is in the bucket before the commit, and is written again only when it is something else", async (t) => {
  const bus = new InProcessBus();
  t.after(async () => await bus.close());
  const bucket = await bus.keyValue(buckets.xds);
  const writer = await writerOn(bucket);
  const rejected = Array.from({ length: 501 }, (_, index) => ({
    provenance: { kind: "policy" as const, key: `VirtualService/default/v${index}`, file: "a.yaml", line: index },
    code: "FL_X",
    message: "x".repeat(1001),
  }));
  await writer.commit(mesh(), { revision: 3, rejected });
  const entry = await bucket.get(rejectedKey);
  const told = fromBinary(ConfigPushedSchema, unpack(entry!.value!));
  assert.deepEqual([Number(told.revision), told.rejected.length, told.rejected[0]!.message.length], [3, 500, 1000]);
  assert.equal(told.rejected[9]!.object?.key, "VirtualService/default/v9");
  await writer.commit(mesh(), { revision: 4, rejected });
  assert.equal((await bucket.get(rejectedKey))!.sequence, entry!.sequence);
  assert.ok(entry!.sequence < (await bucket.get(headKey))!.sequence);
  await writer.commit(mesh(), { revision: 5 });
  assert.equal(fromBinary(ConfigPushedSchema, (await bucket.get(rejectedKey))!.value!).rejected.length, 0);
  await writer.stop();
});
