import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import type { XdsResource } from "../xds-resource.ts";
import { ResourcesInForce } from "./resources-in-force.ts";

const late = [1];
const of = (resources: Readonly<Record<string, string>>): XdsResource[] =>
  Object.entries(resources).map(([name, content]) => ({ name, body: Buffer.from(content) }));

/** @returns what came back for a worker that has the first state and has missed the others */
function missed(typeUrl: string, ...states: Readonly<Record<string, string>>[]): string | undefined {
  const inForce = new ResourcesInForce();
  for (const [i, state] of states.entries()) inForce.set(typeUrl, of(state), i === 0 ? [] : late);
  assert.equal(inForce.cameBack(2), undefined, "another has missed nothing");
  return inForce.cameBack(1);
}

test("what was changed, removed or added while a worker was late is made up by the newest", () => {
  assert.equal(missed(typeUrls.cluster, { a: "1", b: "1" }, { a: "2", b: "1", c: "1" }, { a: "3", c: "2" }), undefined);
  assert.equal(missed(typeUrls.cluster, { a: "1" }, { a: "1", b: "1" }, { a: "1" }, { a: "1", b: "1" }), undefined);
});

test("what was removed or something else meanwhile, and came back, is not", () => {
  assert.equal(missed(typeUrls.cluster, { a: "1", b: "1" }, { a: "1" }, { a: "1", b: "1" }), "b");
  assert.equal(missed(typeUrls.listener, { a: "1" }, {}, { a: "2" }), "a");
  assert.equal(missed(typeUrls.route, { a: "1" }, { a: "2" }, { a: "1" }), "a");
  assert.equal(missed(typeUrls.endpoint, { a: "1" }, { a: "2" }, { a: "1" }), undefined, "has nothing to share");
});

test("what a worker has been told since counts no more", () => {
  const inForce = new ResourcesInForce();
  inForce.set(typeUrls.cluster, of({ a: "1" }), []);
  inForce.set(typeUrls.cluster, of({ a: "2" }), late);
  inForce.told(1, typeUrls.cluster);
  inForce.set(typeUrls.cluster, of({ a: "1" }), late);
  assert.equal(inForce.cameBack(1), undefined);
  inForce.set(typeUrls.cluster, of({ a: "2" }), late);
  assert.equal(inForce.cameBack(1), "a");
  inForce.forget(1);
  assert.equal(inForce.cameBack(1), undefined);
});

test("clusters come first, routes last", () => {
  const inForce = new ResourcesInForce();
  for (const type of [typeUrls.route, typeUrls.listener, typeUrls.cluster]) inForce.set(type, of({ a: type }), []);
  assert.deepEqual(
    [...inForce.all()].map(([typeUrl]) => typeUrl),
    [typeUrls.cluster, typeUrls.listener, typeUrls.route],
  );
});
