import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { CompiledResourceSchema, HeadSchema, ScopeViewSchema } from "@fairlead/fairlead-api";
import { bucketKeyOf, headKey } from "./bucket-layout.ts";
import { type BucketEntry, type ReplicaCommit, SnapshotReplica } from "./snapshot-replica.ts";

const typeUrl = "type/cds";

function resource(key: string, version: string): BucketEntry {
  const message = create(CompiledResourceSchema, { key, typeUrl, name: key, version, revision: 1n });
  return { key: bucketKeyOf("resource", key), value: toBinary(CompiledResourceSchema, message) };
}
function scope(...keys: string[]): BucketEntry {
  const message = create(ScopeViewSchema, { id: "everything", keys });
  return { key: bucketKeyOf("scope", "everything"), value: toBinary(ScopeViewSchema, message) };
}
function head(revision: number, traceparent = ""): BucketEntry {
  return { key: headKey, value: toBinary(HeadSchema, create(HeadSchema, { revision: BigInt(revision), traceparent })) };
}

function follow() {
  const commits: ReplicaCommit[] = [];
  const skipped: string[] = [];
  const replica = new SnapshotReplica({
    onCommit: (commit) => commits.push(commit),
    onSkipped: (key, reason) => skipped.push(`${key}: ${String(reason)}`),
  });
  const give = (...entries: BucketEntry[]) => entries.forEach((entry) => replica.entry(entry));
  const versions = () =>
    replica
      .viewOf("n")
      .resources(typeUrl)
      .map((one) => `${one.name}${one.version}`);
  return { replica, commits, skipped, give, versions };
}

test("is synced by the head of the snapshot, and applies each later head as one commit", () => {
  const { replica, commits, give, versions } = follow();
  give(resource("a", "1"), scope("a"), head(7));
  assert.equal(replica.synced, false, "more of the snapshot may follow");
  replica.snapshotComplete();
  assert.equal(replica.synced, true);
  assert.equal(replica.revision, 7);
  give(resource("a", "2"), resource("b", "1"), scope("a", "b"));
  assert.deepEqual(versions(), ["a1"], "staged only");
  give(head(8, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  assert.deepEqual(versions(), ["a2", "b1"]);
  assert.deepEqual([...commits[1]!.changed].sort(), ["a", "b"]);
  assert.match(commits[1]!.traceparent ?? "", /^00-0af7/);
  give({ key: bucketKeyOf("resource", "b"), value: undefined }, scope("a"), head(9));
  assert.deepEqual([...commits[2]!.removed], ["b"]);
  assert.deepEqual(versions(), ["a2"]);
});

test("a snapshot that ends within a change waits for its head", () => {
  const { replica, commits, give, versions } = follow();
  give(scope("a", "b"), resource("a", "1"), head(7), resource("b", "2"));
  replica.snapshotComplete();
  assert.equal(replica.synced, false);
  give(head(8));
  assert.equal(commits.length, 1);
  assert.deepEqual(versions(), ["a1", "b2"]);
});

test("an empty bucket is not synced until something is committed", () => {
  const { replica, give } = follow();
  replica.snapshotComplete();
  assert.equal(replica.synced, false);
  give(head(1));
  assert.equal(replica.synced, true);
});

test("a restarted watch keeps the old state until the new one is whole, and commits the difference", () => {
  const { replica, commits, give, versions } = follow();
  give(resource("a", "1"), resource("b", "1"), scope("a", "b"), head(7));
  replica.snapshotComplete();
  give(resource("a", "half"));
  replica.restarted();
  give(resource("b", "2"), scope("a", "b"));
  assert.deepEqual(versions(), ["a1", "b1"]);
  give(head(9));
  replica.snapshotComplete();
  assert.deepEqual(versions(), ["b2"]);
  assert.deepEqual([...commits[1]!.changed], ["b"]);
  assert.deepEqual([...commits[1]!.removed], ["a"]);
  assert.deepEqual([...commits[1]!.changedScopes.keys()], ["everything"]);
});

test("an empty bucket after a restart keeps the last good state", () => {
  const { replica, commits, give, versions } = follow();
  give(resource("a", "1"), scope("a"), head(7));
  replica.snapshotComplete();
  replica.restarted();
  replica.snapshotComplete();
  assert.deepEqual(versions(), ["a1"]);
  assert.equal(commits.length, 1);
  give(resource("a", "1"), scope("a"), head(7));
  assert.equal(commits[1]!.changed.size + commits[1]!.changedScopes.size, 0, "the same again touches nobody");
});

test("entries that cannot be read are skipped and reported; what was known stays", () => {
  const { replica, skipped, give, versions } = follow();
  give(resource("a", "1"), scope("a"), head(7));
  replica.snapshotComplete();
  give({ key: bucketKeyOf("resource", "a"), value: Uint8Array.of(0xff, 0xff, 0xff) });
  give({ key: bucketKeyOf("resource", "z"), value: resource("a", "1").value });
  give({ key: "future.thing", value: Uint8Array.of(1) }, { key: headKey, value: Uint8Array.of(0xff) }, head(8));
  assert.equal(replica.revision, 8);
  assert.deepEqual(versions(), ["a1"]);
  assert.equal(skipped.length, 3);
  replica.restarted();
  give({ key: bucketKeyOf("resource", "a"), value: Uint8Array.of(0xff) }, scope("a"), head(9));
  replica.snapshotComplete();
  assert.deepEqual(versions(), ["a1"], "also across a restart");
});
