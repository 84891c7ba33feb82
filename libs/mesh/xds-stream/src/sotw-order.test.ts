import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodies,
  cluster,
  connectedStream,
  endpoint,
  listener,
  type ResponseForTest,
  route,
  StreamUnderTest,
} from "./stream-under-test.ts";

const types = (responses: readonly ResponseForTest[]) => responses.map((response) => response.typeUrl);

test("rules 62, 67: one change goes clusters, endpoints, listeners, routes; types nobody asked for are skipped", () => {
  const t = connectedStream("sotw");
  const change = { [route]: ["r@b"], [listener]: ["l@2"], [endpoint]: ["a@2"], [cluster]: ["b@1"], secret: ["s@1"] };
  assert.deepEqual(types(t.change(change)), [cluster, endpoint]);
  assert.deepEqual(types(t.ack(cluster)), [listener, route], "rule 63: the new cluster is ready");
  assert.deepEqual(types(t.change({ [route]: ["r@a"], [listener]: ["l@3"] })), []);
});

test("rules 61, 66: what changes before the ACK waits, merges, and goes with the ACK", () => {
  const t = connectedStream("sotw");
  t.change({ [endpoint]: ["a@2"] });
  assert.deepEqual(t.change({ [endpoint]: ["a@3"] }), []);
  assert.deepEqual(t.change({ [endpoint]: ["a@4"] }), []);
  assert.deepEqual(t.pendingOf(endpoint), ["BLOCKED 3-4", "SENT 2-2"]);
  assert.equal(t.stateOf(endpoint), "BLOCKED");
  assert.deepEqual(bodies(t.ack(endpoint, ["a"])), [["a@4"]]);
  assert.deepEqual(t.pendingOf(endpoint), ["SENT 3-4"]);
  t.ack(endpoint, ["a"]);
  assert.deepEqual(t.stream.pending(), []);
});

test("rule 65: without an ACK it is sent after the time-out, with what may be lost", () => {
  const t = connectedStream("sotw");
  t.request(endpoint, ["a", "b"], "");
  t.change({ [endpoint]: ["a@2"] });
  t.change({ [endpoint]: ["b@1"] });
  assert.equal(t.stream.deadline(t.now), t.now + 15_000);
  t.now += 14_999;
  assert.deepEqual(t.take(), []);
  t.now += 1;
  const [late] = t.take();
  assert.deepEqual([...late!.bodies].sort(), ["a@2", "b@1"]);
  assert.deepEqual(t.pendingOf(endpoint), ["SENT 2-3"]);
  assert.deepEqual(t.request(endpoint, ["a", "b"], "s1-5"), [], "the late ACK of the first is stale");
  assert.equal(t.stateOf(endpoint), "SENT");
  assert.equal(t.stream.deadline(t.now), undefined, "nothing waits");
});

test("what is announced is pending at once, and is not sent before it is released", () => {
  const t = connectedStream("sotw");
  t.announce({ [endpoint]: ["a@2"] });
  assert.deepEqual(t.pendingOf(endpoint), ["BLOCKED 2-2"]);
  assert.deepEqual(t.take(), []);
  assert.deepEqual(t.ack(endpoint, ["a"]), [], "an ACK does not cut the waiting short");
  t.stream.release();
  assert.deepEqual(bodies(t.take()), [["a@2"]]);
});

test("a change that is taken back before it is sent is no work", () => {
  const t = connectedStream("sotw");
  t.announce({ [endpoint]: ["a@2"] });
  t.announce({ [endpoint]: ["a@1"] });
  t.stream.release();
  assert.deepEqual(t.take(), []);
  assert.deepEqual(t.stream.pending(), []);
});

test("rule 63: routes wait while a cluster they may name waits for an ACK", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["b@1"] });
  assert.deepEqual(t.change({ [cluster]: ["c@1"], [route]: ["r@c"] }), []);
  assert.match(t.stream.status().find((type) => type.typeUrl === route)!.detail, /clusters/);
  assert.deepEqual(types(t.ack(cluster)), [cluster]);
  assert.deepEqual(types(t.ack(cluster)), [route]);
});

test("rule 63: routes wait until the endpoints of a new cluster were answered", () => {
  for (const answer of ["ack", "nack"] as const) {
    const t = connectedStream("sotw");
    assert.deepEqual(types(t.change({ [cluster]: ["b@1"], [endpoint]: ["b@1"], [route]: ["r@b"] })), [cluster]);
    assert.deepEqual(t.ack(cluster), []);
    assert.deepEqual(types(t.ack(endpoint, ["a", "b"])), [endpoint]);
    assert.deepEqual(types(answer === "ack" ? t.ack(endpoint, ["a", "b"]) : t.nack(endpoint, ["a", "b"], "bad")), [
      route,
    ]);
  }
});

test("rule 65: routes do not wait for ever for endpoints that nobody asks for, nor for clusters that are refused", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["b@1"], [endpoint]: ["b@1"], [route]: ["r@b"] });
  t.ack(cluster);
  assert.equal(t.stream.deadline(t.now), t.now + 15_000);
  t.now += 15_000;
  assert.deepEqual(types(t.take()), [route]);
  t.ack(route, ["r"]);
  t.change({ [cluster]: ["bad@1"], [endpoint]: ["bad@1"], [route]: ["r@bad"] });
  assert.deepEqual(types(t.nack(cluster, [], "bad")), [route]);
});

test("rule 63: nobody waits for a new cluster that is gone again", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["b@1"], [endpoint]: ["b@1"] });
  t.ack(cluster);
  t.change({ [cluster]: ["-b"] });
  t.ack(cluster);
  assert.deepEqual(types(t.change({ [route]: ["r@other"] })), [route]);
});

test("rule 63: a client that names its clusters has the routes first (gRPC)", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1", "b@1");
  t.set(route, "r@a");
  t.request(route, ["r"]);
  t.ack(route, ["r"]);
  t.request(cluster, ["a"]);
  assert.deepEqual(types(t.change({ [route]: ["r@b"] })), [route]);
});

test("rule 63: a cluster that is gone stays until listeners and routes are ACKed", () => {
  const t = connectedStream("sotw");
  const responses = t.change({ [cluster]: ["-a", "b@1"], [route]: ["r@b"] });
  assert.deepEqual(bodies(responses), [["a@1", "b@1"]]);
  assert.deepEqual(types(t.ack(cluster)), [route]);
  assert.deepEqual(t.pendingOf(cluster), ["BLOCKED 2-2"], "the removal has not converged");
  assert.match(t.stream.status().find((type) => type.typeUrl === cluster)!.detail, /removal/);
  const [reduced] = t.ack(route, ["r"]);
  assert.deepEqual(reduced!.bodies, ["b@1"]);
  t.ack(cluster);
  assert.deepEqual(t.stream.pending(), []);
});

test("rule 63: a removal alone goes at once; with routes it waits without being sent", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["b@1"] });
  t.ack(cluster);
  assert.deepEqual(bodies(t.change({ [cluster]: ["-b"] })), [["a@1"]]);
  t.ack(cluster);
  assert.deepEqual(types(t.change({ [cluster]: ["-a"], [route]: ["r@none"] })), [route]);
  assert.deepEqual(bodies(t.ack(route, ["r"])), [[]]);
});

test("rule 65: a removal does not wait for ever for routes that are refused", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["-a", "b@1"], [route]: ["r@bad"] });
  t.ack(cluster);
  assert.deepEqual(t.nack(route, ["r"], "bad"), []);
  assert.equal(t.stream.deadline(t.now), t.now + 15_000);
  t.now += 15_000;
  assert.deepEqual(bodies(t.take()), [["b@1"]]);
  t.ack(cluster);
  assert.equal(t.stream.deadline(t.now), undefined);
  t.change({ [cluster]: ["c@1"] });
  t.ack(cluster);
  t.now += 60_000;
  assert.deepEqual(t.change({ [cluster]: ["-b"] }), [], "the next removal has a time of its own");
});

test("rule 64: endpoints of a replaced cluster are sent again when asked, once", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["a@2"] });
  assert.deepEqual(t.ack(cluster), []);
  assert.deepEqual(bodies(t.ack(endpoint, ["a"])), [["a@1"]], "the request looks like an ACK");
  assert.deepEqual(t.ack(endpoint, ["a"]), []);
  assert.deepEqual(t.ack(endpoint, ["a"]), []);
});

test("rule 64: endpoints that went out with the change of their cluster are not sent a second time", () => {
  const t = connectedStream("sotw");
  assert.deepEqual(types(t.change({ [cluster]: ["a@2"], [endpoint]: ["a@2"] })), [cluster, endpoint]);
  assert.deepEqual(t.ack(cluster), []);
  assert.deepEqual(t.ack(endpoint, ["a"]), []);
});

test("a full set with a bad member is not sent again until it changes, while its users go on", () => {
  const t = connectedStream("sotw");
  t.change({ [cluster]: ["bad@1"], [route]: ["r@bad"] });
  assert.deepEqual(types(t.nack(cluster, [], "bad")), [route]);
  t.ack(route, ["r"]);
  assert.deepEqual(types(t.change({ [route]: ["r@a"] })), [route]);
});
