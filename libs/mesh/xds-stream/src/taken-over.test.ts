import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import { DeltaSubscription } from "./subscription.ts";
import { takenOver } from "./taken-over.ts";

const typeUrl = "t";

/** A view of `name@version`; its list is the same object until the view is another one. */
function viewOf(...specs: readonly string[]): ResourceView {
  const resources = specs.map((spec) => {
    const [name = "", version = ""] = spec.split("@");
    return { name, version, typeUrl, onDemand: false } as CompiledResource;
  });
  return {
    nodeId: "n",
    scopeId: "s",
    registered: true,
    resources: () => resources,
    all: () => [...resources],
    get: (_typeUrl, name) => resources.find((resource) => resource.name === name),
  };
}

function wanting(...names: readonly string[]): DeltaSubscription {
  const subscription = new DeltaSubscription({ legacyWildcard: true });
  subscription.apply({ names });
  return subscription;
}

function shown(versions: ReadonlyMap<string, string>, subscription: DeltaSubscription, view: ResourceView) {
  const { held, outdated, gone } = takenOver(versions, { typeUrl, subscription, view });
  return { held: Object.fromEntries(held.entries()), outdated: outdated.map(({ name }) => name), gone };
}

const versions = new Map([
  ["a", "1"],
  ["b", "1"],
]);

test("what clients have is compared once for those that have, want and may have the same", () => {
  const view = viewOf("a@1", "b@2");
  const [one, two] = [wanting(), wanting()].map((subscription) => takenOver(versions, { typeUrl, subscription, view }));
  assert.equal(one, two);
});

test("it is compared anew for another view and for one who wants something else", () => {
  assert.deepEqual(shown(versions, wanting(), viewOf("a@1", "b@2")), {
    held: { a: "1", b: "" },
    outdated: ["b"],
    gone: [],
  });
  assert.deepEqual(shown(versions, wanting(), viewOf("a@2")), { held: { a: "", b: "" }, outdated: ["a"], gone: ["b"] });
  const view = viewOf("a@1", "b@1");
  assert.deepEqual(shown(versions, wanting(), view).held, { a: "1", b: "1" });
  assert.deepEqual(shown(versions, wanting("b"), view).held, { b: "1" });
  assert.deepEqual(shown(versions, wanting("a"), view).held, { a: "1" });
});
