import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, cluster, endpoint, listener, route, StreamUnderTest } from "./stream-under-test.ts";

test("rules 35, 52, 55, 56: a wildcard gets everything, also nothing, and deletions", () => {
  const t = new StreamUnderTest();
  assert.deepEqual(bodies(t.request(cluster, [])), [[]], "an empty mesh is answered at once");
  t.ack(cluster);
  assert.deepEqual(bodies(t.change({ [cluster]: ["a@1", "b@1"] })), [["a@1", "b@1"]]);
  t.ack(cluster);
  assert.deepEqual(bodies(t.change({ [cluster]: ["-a"] })), [["b@1"]]);
});

test("rules 30, 36: new names beside a wildcard get the full set", () => {
  const t = new StreamUnderTest();
  t.set(listener, "a@1", "api@1?");
  assert.deepEqual(bodies(t.request(listener, ["*"])), [["a@1"]]);
  assert.deepEqual(bodies(t.ack(listener, ["*", "a"])), [["a@1"]], "at the same version");
  assert.deepEqual(bodies(t.ack(listener, ["*", "a", "api"])), [["a@1", "api@1"]], "what is on demand only by name");
  t.ack(listener, ["*", "a", "api"]);
});

test("rules 39, 41: unsubscribing is not answered, and ends updates and pending work", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "c@1", "x@1");
  t.set(endpoint, "c@1");
  assert.deepEqual(bodies(t.request(cluster, ["c"])), [["c@1"]], "rule 41: only subscribed names");
  t.request(endpoint, ["c"]);
  t.ack(cluster, ["c"]);
  t.ack(endpoint, ["c"]);
  assert.deepEqual(t.ack(cluster, []), []);
  assert.deepEqual(t.ack(endpoint, []), []);
  assert.deepEqual(t.change({ [cluster]: ["c@2"], [endpoint]: ["c@2"] }), []);
  assert.deepEqual(t.stream.pending(), []);
  assert.equal(t.stateOf(cluster), "NOT_SUBSCRIBED");
});

test("rules 42, 43, 44: given up names are not updated; subscribed again they are sent again at the same version", () => {
  const t = new StreamUnderTest();
  for (const typeUrl of [endpoint, cluster]) {
    t.set(typeUrl, "a@1", "b@1");
    t.request(typeUrl, ["a", "b"]);
    assert.deepEqual(t.ack(typeUrl, ["a"]), []);
    assert.deepEqual(t.change({ [typeUrl]: ["b@2"] }), []);
    t.change({ [typeUrl]: ["b@1"] });
    const [again] = t.ack(typeUrl, ["a", "b"]);
    assert.ok(again!.bodies.includes("b@1"));
    t.ack(typeUrl, ["a", "b"]);
  }
});

test("rules 50, 53: a name that does not exist gets nothing, and is pushed when it is made", () => {
  const t = new StreamUnderTest();
  assert.deepEqual(t.request(route, ["later"]), []);
  assert.deepEqual(bodies(t.change({ [route]: ["later@1"] })), [["later@1"]]);
  t.ack(route, ["later"]);
  assert.deepEqual(t.change({ [route]: ["-later"] }), [], "rule 56: its deletion is not pushed");
  assert.deepEqual(
    bodies(t.change({ [route]: ["later@1"] })),
    [["later@1"]],
    "its re-creation is, with equal content too",
  );
  assert.deepEqual(
    t.request(listener, [""]).map((response) => response.bodies),
    [[]],
    "rule 54: no wildcard",
  );
});

test("rule 57: endpoints are sent alone, and split below what a gRPC client takes (74)", () => {
  const t = new StreamUnderTest({ maxResponseBytes: 200 });
  t.set(endpoint, "a@1", "b@1", "c@1", "d@1");
  const names = ["a", "b", "c", "d"];
  const got = [...bodies(t.request(endpoint, names))];
  for (let next = t.ack(endpoint, names); next.length > 0; next = t.ack(endpoint, names)) got.push(...bodies(next));
  assert.deepEqual(got.flat(), ["a@1", "b@1", "c@1", "d@1"]);
  assert.ok(got.length > 1 && got.every((response) => response.length < 4));
  assert.deepEqual(t.stream.pending(), []);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["b@2"] })), [["b@2"]]);
});

test("rule 4: an unknown type gets silence and disturbs no other", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  assert.deepEqual(t.request("type.googleapis.com/some.Thing", []), []);
  assert.deepEqual(t.request("type.googleapis.com/some.Thing", ["x"]), []);
  assert.deepEqual(bodies(t.request(cluster, [])), [["a@1"]]);
});

test("rule 3 and limits: no type, too many names, too many types end the stream", () => {
  const t = new StreamUnderTest({ maxNames: 3 });
  assert.throws(() => t.request("", []), { code: "FL_XDS_TYPE_MISSING" });
  assert.throws(() => t.request(endpoint, ["1", "2", "3", "4"]), { code: "FL_XDS_TOO_MANY_NAMES" });
  for (let index = 0; index < 32; index++) t.request(`type/${index}`, []);
  assert.throws(() => t.request("type/one-more", []), { code: "FL_XDS_TOO_MANY_TYPES" });
});
