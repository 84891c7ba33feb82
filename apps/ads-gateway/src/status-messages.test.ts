import assert from "node:assert/strict";
import { test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { NackSchema, PendingProxy_State } from "@fairlead/fairlead-api";
import { nackMessages, type PendingOfNode, pendingMessages, type RefusalOfNode } from "./status-messages.ts";

function pendingOf(nodeId: string, first: number, last: number): PendingOfNode {
  return { nodeId, typeUrl: "t", state: "SENT", first, last, detail: "", sinceMs: 1 };
}

test("what does not fit is one entry a type that keeps back the same revisions", () => {
  const messages = pendingMessages([pendingOf("a", 5, 5), pendingOf("b", 7, 8), pendingOf("c", 3, 4)], 1);
  assert.equal(messages.length, 2);
  assert.deepEqual(
    messages.map((entry) => [entry.nodeId, Number(entry.firstRevision), Number(entry.lastRevision)]),
    [
      ["a", 5, 5],
      ["*", 3, 8],
    ],
  );
  assert.match(messages[1]!.detail, /^2 more/);
  assert.equal(messages[1]!.state, PendingProxy_State.BLOCKED);
});

function refusalOf(nodeId: string, atMs: number, names: readonly string[] = ["a"]): RefusalOfNode {
  const provenance = [{ kind: "policy" as const, key: "VirtualService/a", file: "a.yaml", line: 3 }];
  const range = { first: 5, last: 6 };
  return { nodeId, atMs, names, provenance, typeUrl: "t", reason: "bad", nonce: "1-1", version: "v", ...range };
}

test("a refusal says who, what, why, when, and from which line", () => {
  const { nacks, nacksLeftOut } = nackMessages([refusalOf("n1", 7)]);
  const { $typeName: _, provenance, ...nack } = nacks[0]!;
  assert.deepEqual(nack, {
    nodeId: "n1",
    typeUrl: "t",
    resourceNames: ["a"],
    reason: "bad",
    nonce: "1-1",
    version: "v",
    atMs: 7n,
    firstRevision: 5n,
    lastRevision: 6n,
  });
  assert.equal(`${provenance[0]!.file}:${provenance[0]!.line}`, "a.yaml:3");
  assert.equal(nacksLeftOut, 0);
});

test("of very many refusals the newest go, within the size, and the rest are counted", () => {
  const names = Array.from({ length: 100 }, (_, index) => `resource-${index}`);
  const refusals = Array.from({ length: 1000 }, (_, index) => refusalOf(`n${index}`, index, names));
  const { nacks, nacksLeftOut } = nackMessages(refusals, 50_000);
  assert.equal(nacks[0]!.nodeId, "n999");
  assert.equal(nacks.length + nacksLeftOut, 1000);
  const bytes = nacks.reduce((sum, nack) => sum + toBinary(NackSchema, nack).byteLength, 0);
  assert.ok(bytes > 30_000 && bytes <= 50_000, `${bytes} bytes`);
});
