import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, cluster, endpoint, listener, StreamUnderTest } from "./stream-under-test.ts";

test("rules 5, 6, 11: nonces are unique on the stream, and each type has its own", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  t.set(endpoint, "a@1");
  const [clusters] = t.request(cluster, []);
  const [endpoints] = t.request(endpoint, ["a"]);
  assert.notEqual(clusters!.nonce, endpoints!.nonce);
  assert.equal(clusters!.controlPlane, "gateway-1");
  assert.deepEqual(t.request(endpoint, ["a"], clusters!.nonce), [], "another type's nonce acknowledges nothing");
  assert.equal(t.stateOf(endpoint), "SENT");
  t.ack(endpoint, ["a"]);
  assert.equal(t.stateOf(endpoint), "ACKED");
  assert.equal(t.stateOf(cluster), "SENT");
});

test("rule 7, 29: the first request of a type is served whatever its nonce", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  assert.deepEqual(bodies(t.request(cluster, [], "nonce-of-an-old-stream")), [["a@1"]]);
});

test("rules 13, 28, 33: an ACK is not answered, nor is equal content sent again", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  t.request(cluster, []);
  assert.deepEqual(t.ack(cluster), []);
  assert.deepEqual(t.ack(cluster), [], "nor its repetition");
  assert.deepEqual(t.change({ [cluster]: ["a@1"] }), []);
  assert.equal(t.stateOf(cluster), "ACKED");
  assert.deepEqual(t.stream.pending(), []);
});

test("rules 15, 16, 26: after a NACK nothing is sent until the content changes, and an ACK clears it", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  t.request(cluster, []);
  t.ack(cluster);
  t.change({ [cluster]: ["a@bad"] });
  assert.deepEqual(t.nack(cluster, [], "a is bad"), []);
  assert.deepEqual(t.change({ [cluster]: ["a@bad"] }), []);
  assert.deepEqual(t.ack(cluster), [], "nor when it asks again");
  const status = t.stream.status().find((type) => type.typeUrl === cluster);
  assert.equal(status?.state, "NACKED");
  assert.equal(status?.detail, "a is bad");
  assert.notEqual(status?.sentVersion, status?.ackedVersion);
  assert.deepEqual(t.pendingOf(cluster), ["NACKED 2-2"]);
  assert.deepEqual(
    bodies(t.change({ [cluster]: ["a@1"] })),
    [["a@1"]],
    "also when it goes back: the client may hold half of it",
  );
  t.ack(cluster);
  assert.equal(t.stateOf(cluster), "ACKED");
  assert.deepEqual(t.pendingOf(cluster), []);
});

test("rule 14: a NACK is known by its error, with or without text", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  t.request(cluster, []);
  t.nack(cluster, [], "");
  assert.equal(t.stateOf(cluster), "NACKED");
});

test("rule 17: the names of a NACK count, and are answered without what was refused", () => {
  const t = new StreamUnderTest();
  t.set(endpoint, "a@bad", "b@1");
  t.request(endpoint, ["a"]);
  assert.deepEqual(bodies(t.nack(endpoint, ["a", "b"], "a is bad")), [["b@1"]]);
  t.ack(endpoint, ["a", "b"]);
  assert.deepEqual(t.pendingOf(endpoint), ["NACKED 1-1"]);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["a@2"] })), [["a@2"]]);
  t.ack(endpoint, ["a", "b"]);
  assert.equal(t.stateOf(endpoint), "ACKED");
});

test("rules 15, 16: a reason that names the bad resource holds back nothing else", () => {
  const t = new StreamUnderTest();
  t.request(endpoint, ["a", "b"]);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["a@bad", "b@1"] })), [["a@bad", "b@1"]]);
  assert.deepEqual(bodies(t.nack(endpoint, ["a", "b"], "a is bad")), [["b@1"]]);
  assert.deepEqual(t.ack(endpoint, ["a", "b"]), []);
  assert.deepEqual(t.pendingOf(endpoint), ["NACKED 2-2"]);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["a@2"] })), [["a@2"]]);
  t.ack(endpoint, ["a", "b"]);
  assert.deepEqual(t.stream.pending(), []);
});

test("rules 15, 16: of a full set, what the reason names is replaced by what was taken last", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "a@1");
  t.request(cluster, []);
  t.ack(cluster);
  t.change({ [cluster]: ["a@bad", "b@1", "c@bad"] });
  const reason = "Error adding/updating cluster(s) a: broken, c: broken";
  assert.deepEqual(bodies(t.nack(cluster, [], reason)), [["a@1", "b@1"]]);
  assert.deepEqual(t.ack(cluster), []);
  assert.equal(t.stateOf(cluster), "NACKED");
  assert.deepEqual(bodies(t.change({ [cluster]: ["d@1", "c@2"] })), [["a@1", "b@1", "c@2", "d@1"]]);
  t.ack(cluster);
  assert.deepEqual(bodies(t.change({ [cluster]: ["-a"] })), [["b@1", "c@2", "d@1"]]);
  t.ack(cluster);
  assert.deepEqual(t.stream.pending(), []);
  assert.equal(t.stateOf(cluster), "ACKED");
});

test("rules 15, 16: a reason without a name holds all back until one of them is replaced", () => {
  const t = new StreamUnderTest();
  t.request(endpoint, ["a", "b"]);
  t.change({ [endpoint]: ["a@bad", "b@1"] });
  assert.deepEqual(t.nack(endpoint, ["a", "b"], "something is bad"), []);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["a@2"] })), [["a@2"]]);
  assert.deepEqual(bodies(t.ack(endpoint, ["a", "b"])), [["b@1"]], "tried again once the bad one is gone");
  assert.deepEqual(t.pendingOf(endpoint), ["SENT 2-2"]);
  t.ack(endpoint, ["a", "b"]);
  assert.deepEqual(t.pendingOf(endpoint), []);
});

test("a refused resource that is deleted or given up is forgotten", () => {
  for (const end of [
    (t: StreamUnderTest) => t.change({ [endpoint]: ["-a"] }),
    (t: StreamUnderTest) => t.ack(endpoint, ["b"]),
  ]) {
    const t = new StreamUnderTest();
    t.set(endpoint, "a@bad");
    t.request(endpoint, ["a", "b"]);
    t.nack(endpoint, ["a", "b"], "bad");
    end(t);
    assert.equal(t.stateOf(endpoint), "ACKED");
  }
});

test("rule 18: a NACK of one type blocks no other", () => {
  const t = new StreamUnderTest();
  t.set(listener, "l@bad");
  t.request(listener, []);
  t.nack(listener, [], "bad");
  t.request(endpoint, ["a"]);
  assert.deepEqual(bodies(t.change({ [endpoint]: ["a@1"] })), [["a@1"]]);
});

test("rules 19, 20, 21: a stale request is not answered, and its names are not lost", () => {
  const t = new StreamUnderTest();
  t.set(cluster, "c1@1", "c2@1", "c3@1");
  assert.deepEqual(bodies(t.request(cluster, ["c1"])), [["c1@1"]]);
  assert.deepEqual(t.request(cluster, ["c1", "c2"]), [], "an empty nonce before the first ACK (grpc-js)");
  assert.deepEqual(t.request(cluster, ["c1", "c2", "c3"], "stale"), []);
  assert.deepEqual(bodies(t.ack(cluster, ["c1", "c2", "c3"])), [["c1@1", "c2@1", "c3@1"]]);
  t.ack(cluster, ["c1", "c2", "c3"]);
  assert.deepEqual(t.request(cluster, ["c1", "c2", "c3"], "s1-1", "an old refusal"), []);
  assert.equal(t.stateOf(cluster), "ACKED");
});

test("rule 10: a burst of requests is answered at most twice", () => {
  const t = new StreamUnderTest();
  t.set(endpoint, ...Array.from({ length: 10 }, (_, index) => `e${index}@1`));
  const names: string[] = [];
  let answers = 0;
  for (let index = 0; index < 10; index++) {
    names.push(`e${index}`);
    answers += t.request(endpoint, names).length;
  }
  const last = t.ack(endpoint, names);
  assert.equal(answers + last.length, 2);
  assert.equal(last[0]!.bodies.length, 9);
});

test("rule 27: the version is a hash of what the client sees: it changes with it and returns with it", () => {
  const versions = [new StreamUnderTest(), new StreamUnderTest({ noncePrefix: "other" })].map((t) => {
    t.set(cluster, "a@1");
    const [first] = t.request(cluster, []);
    t.ack(cluster);
    const [second] = t.change({ [cluster]: ["b@1"] });
    t.ack(cluster);
    const [third] = t.change({ [cluster]: ["-b"] });
    assert.notEqual(first!.versionInfo, second!.versionInfo);
    assert.equal(first!.versionInfo, third!.versionInfo);
    return [first!.versionInfo, second!.versionInfo];
  });
  assert.deepEqual(versions[0], versions[1], "equal on every gateway");
});

test("rule 27: of a partial response it is the version of all that the client has by then", () => {
  const t = new StreamUnderTest();
  t.set(endpoint, "a@1", "b@1");
  const [first] = t.request(endpoint, ["a", "b"]);
  t.ack(endpoint, ["a", "b"]);
  const [second] = t.change({ [endpoint]: ["a@2"] });
  t.ack(endpoint, ["a", "b"]);
  const [third] = t.change({ [endpoint]: ["a@1"] });
  assert.notEqual(first!.versionInfo, second!.versionInfo);
  assert.equal(first!.versionInfo, third!.versionInfo);
});

test("rule 15: a change that goes back to the refused content before it is sent is not sent", () => {
  for (const typeUrl of [cluster, endpoint]) {
    const t = new StreamUnderTest();
    t.set(typeUrl, "a@bad");
    t.request(typeUrl, ["a"]);
    t.nack(typeUrl, ["a"], "bad");
    t.announce({ [typeUrl]: ["a@2"] });
    t.announce({ [typeUrl]: ["a@bad"] });
    t.stream.release();
    assert.deepEqual(t.take(), []);
    assert.deepEqual(t.pendingOf(typeUrl), ["NACKED 1-1"]);
  }
});
