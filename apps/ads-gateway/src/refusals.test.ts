import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledResource, ProvenanceEntry } from "@fairlead/snapshot";
import { Refusals } from "./refusals.ts";

const policy: ProvenanceEntry = { kind: "policy", key: "VirtualService/orders", file: "orders.yaml", line: 12 };
const service: ProvenanceEntry = { kind: "service", key: "shop.Orders" };
const node: ProvenanceEntry = { kind: "node", key: "n1" };
const provenance: Readonly<Record<string, readonly ProvenanceEntry[]>> = { a: [node, service, policy], b: [service] };

const resourcesOf = (...names: readonly string[]) =>
  names.map((name) => ({ name, provenance: provenance[name] ?? [] }) as unknown as CompiledResource);
const nackOf = (nonce: string) => ({ nonce, version: "v", reason: "bad", atMs: 1 });

test("a refusal names the sources of what was refused, policies first, each once", () => {
  const refusal = new Refusals().add(
    {
      typeUrl: "t",
      kind: "nack",
      refused: ["a", "b", "gone"],
      refusedResources: resourcesOf("a", "b", "gone"),
      range: { first: 3, last: 4 },
    },
    nackOf("1"),
  );
  assert.deepEqual(refusal.provenance, [policy, service, node]);
  assert.deepEqual(refusal.names, ["a", "b", "gone"]);
  assert.deepEqual([refusal.first, refusal.last], [3, 4]);
});

test("a second refusal of the type keeps what the first one said was bad", () => {
  const refusals = new Refusals();
  refusals.add(
    { typeUrl: "t", kind: "nack", refused: ["a"], refusedResources: resourcesOf("a"), range: { first: 3, last: 3 } },
    nackOf("1"),
  );
  refusals.add(
    { typeUrl: "t", kind: "nack", refused: ["b"], refusedResources: resourcesOf("b"), range: { first: 5, last: 6 } },
    nackOf("2"),
  );
  const [standing, ...rest] = refusals.standing;
  assert.equal(rest.length, 0);
  assert.deepEqual([standing?.names, standing?.nonce, standing?.first, standing?.last], [["b", "a"], "2", 3, 6]);
  assert.deepEqual(standing?.provenance, [policy, service, node]);
});

test("it stands until the type has nothing refused any more", () => {
  const refusals = new Refusals();
  refusals.add({ typeUrl: "t", kind: "nack", refused: ["a"] }, nackOf("1"));
  const entry = { typeUrl: "t", first: 1, last: 1, detail: "", sinceMs: 1 };
  refusals.settle([
    { ...entry, state: "BLOCKED" },
    { ...entry, state: "NACKED" },
  ]);
  assert.equal(refusals.of("t")?.nonce, "1");
  refusals.settle([
    { ...entry, state: "SENT" },
    { ...entry, state: "NACKED", typeUrl: "another" },
  ]);
  assert.deepEqual(refusals.standing, []);
});

test("a refusal of very many names and sources is bounded", () => {
  const names = Array.from({ length: 5000 }, (_, index) => `r${index}`);
  const refusedResources = names.map(
    (name) => ({ name, provenance: [{ kind: "instance", key: name }] }) as unknown as CompiledResource,
  );
  const refusal = new Refusals().add({ typeUrl: "t", kind: "nack", refused: names, refusedResources }, nackOf("1"));
  assert.equal(refusal.names.length, 100);
  assert.equal(refusal.provenance.length, 50);
});
