import assert from "node:assert/strict";
import { test } from "node:test";
import type { XdsResource } from "../xds-resource.ts";
import { acceptedResources, resourcesInForce } from "./worker-answers.ts";

const resource = (name: string, body: number): XdsResource => ({ name, body: Buffer.of(body) });
const a1 = resource("a", 1);
const a2 = resource("a", 2);
const b1 = resource("b", 1);

test("workers get what was accepted; of what was rejected, its version of before", () => {
  assert.deepEqual(acceptedResources([a2, b1], [], [a1]), [a2, b1]);
  assert.deepEqual(acceptedResources([a2, b1], [{ name: "a", reason: "bad" }], [a1]), [b1, a1]);
});

test("in force is a whole response, or with what was there before, as long as it is wanted", () => {
  assert.deepEqual(resourcesInForce([b1], [a1], undefined), [b1]);
  assert.deepEqual(resourcesInForce([a2], [a1, b1], ["a", "b"]), [a2, b1]);
  assert.deepEqual(resourcesInForce([a2], [a1, b1], ["a", "c"]), [a2]);
});
