import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodies,
  cluster,
  endpoint,
  listener,
  type ResponseForTest,
  route,
  StreamUnderTest,
} from "./stream-under-test.ts";

const removed = (responses: readonly ResponseForTest[]) => responses.map((response) => response.removed);
const newDelta = () => new StreamUnderTest({ variant: "delta" });

test("rules 22, 24, 25: subscriptions count whatever the nonce, also beside an ACK or a response that is under way", () => {
  const t = newDelta();
  t.set(endpoint, "a@1", "b@1", "c@1", "d@1");
  const [first] = t.send({ typeUrl: endpoint, names: ["a"] });
  assert.deepEqual(first!.bodies, ["a@1"]);
  t.send({ typeUrl: endpoint, names: ["b"] });
  t.send({ typeUrl: endpoint, names: ["c"], nonce: "of-nobody" });
  const next = t.send({ typeUrl: endpoint, names: ["d"], nonce: first!.nonce });
  assert.deepEqual(bodies(next), [["b@1", "c@1", "d@1"]]);
});

test("rule 31: a resource's version is that of its content; the system version is one of the whole", () => {
  const versions = [newDelta(), newDelta()].map((t) => {
    t.set(cluster, "a@1", "b@1");
    return t.request(cluster, [])[0]!.versionInfo;
  });
  assert.equal(versions[0], versions[1]);
});

test("rule 32: what the client has from before is sent only when it differs, and told when it is gone", () => {
  for (const names of [[], ["*"], ["same", "other", "empty", "gone"]]) {
    const t = newDelta();
    t.set(cluster, "same@1", "other@2", "empty@1", "new@1");
    const initialVersions = new Map([
      ["same", "1"],
      ["other", "1"],
      ["empty", ""],
      ["gone", "1"],
    ]);
    const [answer, ...more] = t.send({ typeUrl: cluster, names, initialVersions });
    assert.deepEqual(more, []);
    const wanted = ["empty@1", "other@2", ...(names.length === 4 ? [] : ["new@1"])].sort();
    assert.deepEqual([...answer!.bodies].sort(), wanted);
    assert.deepEqual(answer!.removed, ["gone"]);
    t.ack(cluster);
    assert.deepEqual(bodies(t.change({ [cluster]: ["same@2"] })), [["same@2"]]);
    t.ack(cluster);
    assert.deepEqual(removed(t.change({ [cluster]: ["-same"] })), [["same"]]);
  }
});

test("rule 32: one who has everything is sent nothing", () => {
  const t = newDelta();
  t.set(cluster, "a@1");
  assert.deepEqual(t.send({ typeUrl: cluster, initialVersions: new Map([["a", "1"]]) }), []);
  const other = newDelta();
  other.set(cluster, "a@1");
  const [status] = t.stream.status();
  assert.deepEqual([status?.state, status?.sentVersion], ["ACKED", other.request(cluster, [])[0]!.versionInfo]);
  assert.deepEqual(
    t.send({ typeUrl: cluster, initialVersions: new Map([["a", "0"]]) }),
    [],
    "only the first request has them",
  );
});

test("rule 38: {} → +A → −* → −A is wildcard, both, A only, nothing", () => {
  const t = newDelta();
  t.set(cluster, "A@1", "B@1");
  const types = (responses: ResponseForTest[]) => bodies(responses);
  assert.deepEqual(types(t.send({ typeUrl: cluster })), [["A@1", "B@1"]]);
  t.ack(cluster);
  assert.deepEqual(types(t.send({ typeUrl: cluster, names: ["A"] })), [["A@1"]]);
  t.send({ typeUrl: cluster, nonce: "s1-2" });
  assert.deepEqual(types(t.change({ [cluster]: ["B@2"] })), [["B@2"]], "the wildcard lasts");
  t.send({ typeUrl: cluster, nonce: "s1-3" });
  assert.deepEqual(t.send({ typeUrl: cluster, unsubscribed: ["*"] }), []);
  assert.deepEqual(t.change({ [cluster]: ["B@3"] }), []);
  assert.deepEqual(types(t.change({ [cluster]: ["A@2"] })), [["A@2"]]);
  t.send({ typeUrl: cluster, nonce: "s1-4" });
  assert.deepEqual(t.send({ typeUrl: cluster, unsubscribed: ["A"] }), []);
  assert.deepEqual(t.send({ typeUrl: cluster }), [], "an empty request is no wildcard any more");
  assert.deepEqual(t.change({ [cluster]: ["A@3"] }), []);
  assert.equal(t.stateOf(cluster), "NOT_SUBSCRIBED");
});

test("rules 45, 46, 47: asked again it is sent again; giving up is not answered, nor is it for what was never asked", () => {
  const t = newDelta();
  t.set(endpoint, "a@1");
  t.send({ typeUrl: endpoint, names: ["a"] });
  t.ack(endpoint);
  assert.deepEqual(bodies(t.send({ typeUrl: endpoint, names: ["a"] })), [["a@1"]]);
  t.send({ typeUrl: endpoint, nonce: "s1-2" });
  assert.deepEqual(t.send({ typeUrl: endpoint, unsubscribed: ["never"] }), []);
  assert.deepEqual(t.send({ typeUrl: endpoint, unsubscribed: ["a"] }), []);
  assert.deepEqual(t.change({ [endpoint]: ["a@2"] }), []);
});

test("rules 48, 49: who gives up a name beside a wildcard is told what the wildcard has of it", () => {
  const t = newDelta();
  t.set(listener, "a@1", "api@1?");
  t.send({ typeUrl: listener, names: ["*", "a", "api", "none"] });
  t.ack(listener);
  const [answer] = t.send({ typeUrl: listener, unsubscribed: ["a", "api", "none"] });
  assert.deepEqual(answer!.bodies, ["a@1"]);
  assert.deepEqual([...answer!.removed].sort(), ["api", "none"]);
});

test("rules 50, 51, 59: a missing name is told at once, its creation sent, and its deletion told once", () => {
  const t = newDelta();
  assert.deepEqual(removed(t.send({ typeUrl: route, names: ["later"] })), [["later"]]);
  t.send({ typeUrl: route, nonce: "s1-1" });
  assert.deepEqual(bodies(t.change({ [route]: ["later@1"] })), [["later@1"]]);
  t.send({ typeUrl: route, nonce: "s1-2" });
  const [gone] = t.change({ [route]: ["-later"] });
  assert.deepEqual(gone!.removed, ["later"]);
  t.send({ typeUrl: route, nonce: gone!.nonce });
  assert.deepEqual(t.change({ [route]: ["-later"] }), []);
  assert.deepEqual(bodies(t.change({ [route]: ["later@1"] })), [["later@1"]], "with equal content, too");
});

test("rule 52: a wildcard on an empty mesh is answered at once", () => {
  const t = newDelta();
  assert.deepEqual(bodies(t.send({ typeUrl: cluster })), [[]]);
  t.ack(cluster);
  assert.deepEqual(t.stream.pending(), []);
});

test("rules 15, 16: after a NACK only the content that it names is held back, until it changes", () => {
  const t = newDelta();
  t.set(cluster, "a@bad", "b@1");
  t.request(cluster, []);
  assert.deepEqual(bodies(t.nack(cluster, [], "Error adding/updating cluster(s) a: broken")), [["b@1"]]);
  t.ack(cluster);
  assert.equal(t.stateOf(cluster), "NACKED");
  assert.deepEqual(bodies(t.change({ [cluster]: ["c@1"] })), [["c@1"]]);
  t.ack(cluster);
  assert.deepEqual(t.change({ [cluster]: ["a@bad"] }), []);
  assert.deepEqual(bodies(t.change({ [cluster]: ["a@2"] })), [["a@2"]]);
  t.ack(cluster);
  assert.deepEqual(t.stream.pending(), []);
});

test("rule 15: a refused content that is removed is told, for the client may have one from before", () => {
  const t = newDelta();
  t.set(cluster, "a@1");
  t.request(cluster, []);
  t.ack(cluster);
  t.change({ [cluster]: ["a@bad"] });
  assert.deepEqual(t.nack(cluster, [], "bad"), []);
  assert.deepEqual(removed(t.change({ [cluster]: ["-a"] })), [["a"]]);
  t.ack(cluster);
  assert.deepEqual(t.stream.pending(), []);
});

test("rule 64: the endpoints of a replaced cluster go out behind it", () => {
  const t = newDelta();
  t.set(cluster, "a@1", "b@1");
  t.set(endpoint, "a@1", "b@1");
  t.request(cluster, []);
  t.ack(cluster);
  t.request(endpoint, ["a", "b"]);
  t.ack(endpoint, ["a", "b"]);
  const [clusters, endpoints, ...more] = t.change({ [cluster]: ["a@2"] });
  assert.deepEqual([clusters!.bodies, endpoints!.bodies, more], [["a@2"], ["a@1"], []]);
  t.ack(cluster);
  assert.deepEqual(t.ack(endpoint, ["a", "b"]), [], "once");
});

test("rule 65: what was not ACKed in time is sent again with what came since, removals too", () => {
  const t = newDelta();
  t.set(cluster, "a@1", "b@1");
  t.request(cluster, []);
  t.ack(cluster);
  t.change({ [cluster]: ["-a"] });
  assert.deepEqual(t.change({ [cluster]: ["c@1"] }), []);
  t.now += 15_000;
  const [late] = t.take();
  assert.deepEqual([late!.bodies, late!.removed], [["c@1"], ["a"]]);
});

test("rule 71: context parameters in any order name one resource; a glob is its members", () => {
  const t = newDelta();
  const folder = "xdstp://fairlead/envoy.config.cluster.v3.Cluster/shop";
  t.set(cluster, `${folder}/a?x=1&y=2@1`, `${folder}/b@1`, "xdstp://fairlead/other/c@1");
  assert.deepEqual(bodies(t.send({ typeUrl: cluster, names: [`${folder}/a?y=2&x=1`] })), [[`${folder}/a?x=1&y=2@1`]]);
  t.send({ typeUrl: cluster, nonce: "s1-1", unsubscribed: [`${folder}/a?y=2&x=1`] });
  const [members] = t.send({ typeUrl: cluster, names: [`${folder}/*`] });
  assert.deepEqual([...members!.bodies].sort(), [`${folder}/a?x=1&y=2@1`, `${folder}/b@1`]);
  t.send({ typeUrl: cluster, nonce: "s1-2" });
  assert.deepEqual(bodies(t.change({ [cluster]: [`${folder}/d@1`] })), [[`${folder}/d@1`]]);
  t.send({ typeUrl: cluster, nonce: "s1-3" });
  assert.deepEqual(removed(t.send({ typeUrl: cluster, names: ["xdstp://fairlead/none/*"] })), [
    ["xdstp://fairlead/none/*"],
  ]);
  t.send({ typeUrl: cluster, nonce: "s1-4", unsubscribed: [`${folder}/*`] });
  assert.deepEqual(t.change({ [cluster]: [`${folder}/d@2`] }), []);
});

test("rule 74: many names are split below what a gRPC client takes", () => {
  const t = new StreamUnderTest({ variant: "delta", maxResponseBytes: 400 });
  const names = ["a", "b", "c", "d", "e", "f"];
  t.set(endpoint, ...names.map((name) => `${name}@1`));
  const got = [...t.request(endpoint, names)];
  for (let next = t.ack(endpoint, names); next.length > 0; next = t.ack(endpoint, names)) got.push(...next);
  assert.deepEqual(
    got.flatMap((response) => response.bodies).sort(),
    names.map((name) => `${name}@1`),
  );
  assert.ok(got.length > 1);
});

test("names add up: too many end the stream", () => {
  const t = new StreamUnderTest({ variant: "delta", maxNames: 3 });
  t.send({ typeUrl: endpoint, names: ["1", "2"] });
  t.send({ typeUrl: endpoint, names: ["2", "3"] });
  assert.throws(() => t.send({ typeUrl: endpoint, names: ["4"] }), { code: "FL_XDS_TOO_MANY_NAMES" });
});
