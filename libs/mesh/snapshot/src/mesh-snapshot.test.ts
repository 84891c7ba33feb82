import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { CompiledResource } from "./compiled-resource.ts";
import { everythingScope, MeshSnapshot, type SnapshotChange } from "./mesh-snapshot.ts";

const cds = "type/cds";
const eds = "type/eds";

function resource(key: string, typeUrl: string, name: string, version: string, onDemand = false): CompiledResource {
  return { key, typeUrl, name, version, onDemand, revision: 1, body: new Uint8Array(), provenance: [] };
}
const put = (value: CompiledResource): SnapshotChange => ({ kind: "resource", id: value.key, value });
const scope = (id: string, ...keys: string[]): SnapshotChange => ({
  kind: "scope",
  id,
  value: { id, keys: new Set(keys) },
});
const node = (nodeId: string, scopeId: string, ...keys: string[]): SnapshotChange => ({
  kind: "node",
  id: nodeId,
  value: { nodeId, scopeId, keys: new Set(keys) },
});
const gone = (kind: SnapshotChange["kind"], id: string): SnapshotChange => ({ kind, id, value: undefined });
const names = (list: readonly CompiledResource[]) => list.map((one) => one.name);

test("a node sees its scope and its own keys, and its own win", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([
    put(resource("a", cds, "a", "1")),
    put(resource("shared", cds, "x", "scope")),
    put(resource("mine", cds, "x", "own")),
    put(resource("api", cds, "api", "1", true)),
    scope("s", "shared", "a", "api"),
    node("n1", "s", "mine"),
    node("n2", "s"),
  ]);
  assert.deepEqual(names(mesh.viewOf("n1").resources(cds)), ["a", "x"]);
  assert.equal(mesh.viewOf("n1").get(cds, "x")?.version, "own");
  assert.equal(mesh.viewOf("n2").get(cds, "x")?.version, "scope");
  assert.equal(mesh.viewOf("n2").get(cds, "api")?.version, "1", "on demand is found by name only");
});

test("nodes whose own resources have equal contents share one list; the others have theirs", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([
    put(resource("a", cds, "a", "1")),
    ...["n1", "n2", "n3"].map((id) => put(resource(`${id}/in`, cds, "inbound|8080", id === "n3" ? "2" : "1"))),
    scope("s", "a"),
    ...["n1", "n2", "n3"].map((id) => node(id, "s", `${id}/in`)),
  ]);
  const listOf = (nodeId: string) => mesh.viewOf(nodeId).resources(cds);
  assert.equal(listOf("n1"), listOf("n2"));
  assert.notEqual(listOf("n1"), listOf("n3"));
  assert.deepEqual(names(listOf("n3")), ["a", "inbound|8080"]);
  assert.equal(mesh.viewOf("n2").get(cds, "inbound|8080")?.key, "n2/in", "each has its own by name");
  mesh.apply([put(resource("n2/in", cds, "inbound|8080", "2"))]);
  assert.equal(listOf("n2"), listOf("n3"));
  mesh.apply([put(resource("a", cds, "a", "2"))]);
  assert.equal(listOf("n2"), listOf("n3"));
  assert.deepEqual(
    listOf("n1").map(({ name, version }) => `${name}@${version}`),
    ["a@2", "inbound|8080@1"],
  );
});

test("a node that nobody registered sees everything; equal views share one list until it changes", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([put(resource("a", cds, "a", "1")), put(resource("e", eds, "a", "1")), scope(everythingScope, "a", "e")]);
  const list = mesh.viewOf("stranger").resources(cds);
  assert.equal(mesh.viewOf("stranger").registered, false);
  assert.equal(mesh.viewOf("other").resources(cds), list);
  mesh.apply([put(resource("e", eds, "a", "2"))]);
  assert.equal(mesh.viewOf("other").resources(cds), list, "another type's change leaves it alone");
  mesh.apply([put(resource("a", cds, "a", "2"))]);
  assert.deepEqual(
    list.map((one) => one.version),
    ["1"],
    "a list that was handed out stays as it was",
  );
  assert.notEqual(mesh.viewOf("other").resources(cds), list);
});

test("equal content again is no change", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([put(resource("a", cds, "a", "1")), scope("s", "a")]);
  const difference = mesh.apply([put(resource("a", cds, "a", "1")), scope("s", "a")]);
  assert.equal(difference.changed.size + difference.changedScopes.size + difference.changedNodes.size, 0);
});

test("a node that moves is touched by what differs between the scopes, also when the old one goes at once", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([
    ...["a", "b", "c"].map((name) => put(resource(name, cds, name, "1"))),
    scope("old", "a", "b"),
    scope("new", "b", "c"),
    node("n", "old"),
  ]);
  const { changedNodes } = mesh.apply([gone("scope", "old"), node("n", "new")]);
  assert.deepEqual([...(changedNodes.get("n")?.get(cds) ?? [])].sort(), ["a", "c"]);
});

test("a key may be listed before its resource exists", () => {
  const mesh = new MeshSnapshot();
  mesh.apply([scope("s", "a"), node("n", "s")]);
  assert.deepEqual(mesh.viewOf("n").resources(cds), []);
  const { changedScopes } = mesh.apply([put(resource("a", cds, "a", "1"))]);
  assert.deepEqual([...changedScopes.keys()], ["s"]);
  assert.deepEqual(names(mesh.viewOf("n").resources(cds)), ["a"]);
});

/** Each key has its own name within its type, as the compiler makes them, except that n* keys shadow those of scopes. */
const keys = ["k1", "k2", "k3", "k4"];
const changeArbitrary: fc.Arbitrary<SnapshotChange> = fc.oneof(
  fc
    .record({
      key: fc.constantFrom(...keys, "own1", "own2"),
      version: fc.constantFrom("1", "2"),
      onDemand: fc.boolean(),
    })
    .map(({ key, version, onDemand }) =>
      put(resource(key, key.endsWith("1") ? eds : cds, key.replace("own", "k"), version, onDemand)),
    ),
  fc.constantFrom(...keys, "own1").map((key) => gone("resource", key)),
  fc
    .record({ id: fc.constantFrom("s1", "s2", everythingScope), held: fc.subarray(keys) })
    .map(({ id, held }) => scope(id, ...held)),
  fc.constantFrom("s1", "s2").map((id) => gone("scope", id)),
  fc
    .record({
      id: fc.constantFrom("n1", "n2"),
      scopeId: fc.constantFrom("s1", "s2"),
      held: fc.subarray(["own1", "own2"]),
    })
    .map(({ id, scopeId, held }) => node(id, scopeId, ...held)),
  fc.constantFrom("n1", "n2").map((id) => gone("node", id)),
);

/** The same rules, written the slow and obvious way. */
class NaiveMesh {
  readonly #state = new Map<string, SnapshotChange>();
  apply(changes: readonly SnapshotChange[]): void {
    for (const change of changes) this.#state.set(`${change.kind} ${change.id}`, change);
  }
  view(nodeId: string): Map<string, CompiledResource> {
    const own = this.#state.get(`node ${nodeId}`);
    const ownView = own?.kind === "node" ? own.value : undefined;
    const inherited = this.#state.get(`scope ${ownView?.scopeId ?? everythingScope}`);
    const scopeView = inherited?.kind === "scope" ? inherited.value : undefined;
    const view = new Map<string, CompiledResource>();
    for (const key of [...(scopeView?.keys ?? []), ...(ownView?.keys ?? [])]) {
      const found = this.#state.get(`resource ${key}`);
      if (found?.kind === "resource" && found.value)
        view.set(`${found.value.typeUrl} ${found.value.name}`, found.value);
    }
    return view;
  }
}

test("any sequence of commits gives the views that the rules give, and touches every name that changed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(changeArbitrary, { maxLength: 6, selector: (c) => `${c.kind} ${c.id}` }), {
        maxLength: 8,
      }),
      (commits) => {
        const mesh = new MeshSnapshot();
        const naive = new NaiveMesh();
        for (const changes of commits) {
          const before = new Map(["n1", "n2", "n3"].map((id) => [id, naive.view(id)]));
          naive.apply(changes);
          const difference = mesh.apply(changes);
          for (const id of ["n1", "n2", "n3"]) {
            const [last, next, view] = [before.get(id)!, naive.view(id), mesh.viewOf(id)];
            for (const typeUrl of [cds, eds]) {
              const expected = [...next.values()].filter((one) => one.typeUrl === typeUrl && !one.onDemand);
              assert.deepEqual(
                view.all(typeUrl),
                [...next.values()].filter((one) => one.typeUrl === typeUrl).sort((a, b) => (a.name < b.name ? -1 : 1)),
              );
              assert.deepEqual(
                view.resources(typeUrl),
                expected.sort((a, b) => (a.name < b.name ? -1 : 1)),
              );
            }
            for (const slot of new Set([...last.keys(), ...next.keys()])) {
              const one = next.get(slot) ?? last.get(slot)!;
              assert.equal(view.get(one.typeUrl, one.name), next.get(slot));
              if (last.get(slot)?.version === next.get(slot)?.version) continue;
              const touched = [difference.changedNodes.get(id), difference.changedScopes.get(mesh.scopeOf(id))];
              assert.ok(
                touched.some((known) => known?.get(one.typeUrl)?.has(one.name)),
                `${id} is not told of ${slot}`,
              );
            }
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
