import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bucketKeyOf,
  encodeHead,
  encodeNode,
  encodeResource,
  encodeScope,
  headKey,
  type ReplicaCommit,
  SnapshotReplica,
} from "@fairlead/snapshot";
import * as fc from "fast-check";
import { ConnectionTable } from "./connection-table.ts";

const keys = ["k0", "k1", "k2"];
const scopes = ["everything", "s1", "s2"];
const nodes = ["n0", "n1"];

class Stream {
  readonly peer = "127.0.0.1:1";
  readonly facts;
  constructor(nodeId: string) {
    this.facts = { nodeId, app: "", userAgent: "" };
  }
  readonly hasPending = false;
}

/** A replica that is fed directly, and a table that follows it. */
function start() {
  let scopeLookups = 0;
  const commits: ReplicaCommit[] = [];
  const replica = new SnapshotReplica({ onCommit: (commit) => commits.push(commit), onSkipped: assert.fail });
  const table = new ConnectionTable<Stream>((nodeId) => {
    scopeLookups++;
    return replica.scopeOf(nodeId);
  });
  replica.snapshotComplete();
  let revision = 0;
  return {
    table,
    replica,
    lookups: () => scopeLookups,
    resource(key: string, version: string) {
      const value = { key, typeUrl: "t", name: key, version, body: Buffer.from(version), onDemand: false };
      replica.entry({
        key: bucketKeyOf("resource", key),
        value: encodeResource({ ...value, revision: revision + 1, provenance: [] }),
      });
    },
    scope(id: string, held: readonly string[]) {
      replica.entry({ key: bucketKeyOf("scope", id), value: encodeScope({ id, keys: new Set(held) }, revision + 1) });
    },
    node(nodeId: string, scopeId: string, held: readonly string[]) {
      const view = { nodeId, scopeId, keys: new Set(held) };
      replica.entry({ key: bucketKeyOf("node", nodeId), value: encodeNode(view, revision + 1) });
    },
    commit(): ReplicaCommit {
      const head = encodeHead({ revision: ++revision, traceparent: undefined, compiledAtMs: 0, compilerId: "" });
      replica.entry({ key: headKey, value: head });
      return commits.at(-1)!;
    },
    join(nodeId: string): Stream {
      const stream = new Stream(nodeId);
      table.add(stream);
      table.name(stream, nodeId);
      return stream;
    },
  };
}

const anyKeys = fc.subarray(keys);
const step = fc.oneof(
  { maxDepth: 1 },
  fc.tuple(fc.constant("resource" as const), fc.constantFrom(...keys), fc.constantFrom("1", "2", "3")),
  fc.tuple(fc.constant("scope" as const), fc.constantFrom(...scopes), anyKeys),
  fc.tuple(fc.constant("node" as const), fc.constantFrom(...nodes), fc.constantFrom(...scopes), anyKeys),
  fc.tuple(fc.constant("join" as const), fc.constantFrom(...nodes)),
  fc.tuple(fc.constant("leave" as const), fc.nat()),
  { arbitrary: fc.tuple(fc.constant("commit" as const)), weight: 3 },
);

test("whatever changes: each stream whose view differs is found, with the names that differ", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 120, size: "max" }), (steps) => {
      const mesh = start();
      const streams: Stream[] = [];
      const viewOf = (stream: Stream) =>
        new Map(
          mesh.replica
            .viewOf(stream.facts.nodeId)
            .resources("t")
            .map(({ name, version }) => [name, version]),
        );
      const seen = new Map<Stream, Map<string, string>>();
      for (const one of steps) {
        if (one[0] === "resource") mesh.resource(one[1], one[2]);
        if (one[0] === "scope") mesh.scope(one[1], one[2]);
        if (one[0] === "node") mesh.node(one[1], one[2], one[3]);
        if (one[0] === "join") {
          const stream = mesh.join(one[1]);
          streams.push(stream);
          seen.set(stream, viewOf(stream));
        }
        if (one[0] === "leave" && streams.length > 0) {
          mesh.table.delete(streams.splice(one[1] % streams.length, 1)[0]!);
        }
        if (one[0] !== "commit") continue;
        const touched = [...mesh.table.touchedBy(mesh.commit())];
        assert.equal(new Set(touched.map(([stream]) => stream)).size, touched.length, "a stream twice");
        const names = new Map(touched.map(([stream, byType]) => [stream, byType.get("t")]));
        for (const stream of streams) {
          const [before, after] = [seen.get(stream)!, viewOf(stream)];
          for (const name of keys) {
            if (before.get(name) !== after.get(name)) assert.ok(names.get(stream)?.has(name), `${name} was missed`);
          }
          seen.set(stream, after);
        }
      }
      assert.equal(mesh.table.named, streams.length);
    }),
  );
});

test("a commit costs what it touches: other scopes' streams are not looked at", () => {
  const mesh = start();
  mesh.resource("k0", "1");
  mesh.scope("s1", ["k0"]);
  for (let index = 0; index < 1000; index++) mesh.node(`wide-${index}`, "everything", []);
  mesh.node("n0", "s1", []);
  mesh.commit();
  for (let index = 0; index < 1000; index++) mesh.join(`wide-${index}`);
  const narrow = mesh.join("n0");
  const before = mesh.lookups();
  mesh.resource("k0", "2");
  assert.deepEqual(
    [...mesh.table.touchedBy(mesh.commit())].map(([stream]) => stream),
    [narrow],
  );
  assert.ok(mesh.lookups() - before <= 1, `${mesh.lookups() - before} nodes were looked at`);
});
