import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledResource } from "@fairlead/snapshot";
import { deltaResources, sotwResources } from "./encode-resources.ts";
import { sharedList } from "./shared-list.ts";

function resource(name: string): CompiledResource {
  const body = Buffer.from(name);
  return { key: name, typeUrl: "t", name, version: "1", revision: 1, body, onDemand: false, provenance: [] };
}

test("streams that are sent the same resources share the list, and with it the bytes of each variant", () => {
  const [a, b] = [resource("a"), resource("b")];
  const first = sharedList([a, b]);
  assert.equal(sharedList([a, b]), first);
  assert.notEqual(sharedList([b, a]), first);
  assert.notEqual(sharedList([a, resource("b")]), first, "another content of equal name");
  assert.equal(sharedList([]), sharedList([]));
  for (const encoder of [sotwResources, deltaResources]) {
    assert.equal(encoder.joined(sharedList([a, b])), encoder.joined(first));
  }
  assert.notDeepEqual(sotwResources.joined(first), deltaResources.joined(first));
});
