import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, cluster, endpoint, route, StreamUnderTest } from "./stream-under-test.ts";

/** A client that has ACKed a cluster, its endpoints and a route. */
function settled(): StreamUnderTest {
  const mesh = new StreamUnderTest();
  for (const [typeUrl, name] of [
    [cluster, "c@1"],
    [endpoint, "c@1"],
    [route, "r@1"],
  ] as const) {
    mesh.set(typeUrl, name);
  }
  mesh.request(cluster, []);
  mesh.ack(cluster);
  mesh.request(endpoint, ["c"]);
  mesh.ack(endpoint, ["c"]);
  mesh.request(route, ["r"]);
  mesh.ack(route, ["r"]);
  return mesh;
}

test("endpoints that are released alone leave announced routes and clusters where they are", () => {
  const mesh = settled();
  mesh.announce({ [route]: ["r@2"], [cluster]: ["d@1"] });
  mesh.announce({ [endpoint]: ["c@2"] });
  mesh.stream.releaseEndpoints();
  assert.deepEqual(bodies(mesh.take()), [["c@2"]]);
  assert.deepEqual(mesh.pendingOf(route), ["BLOCKED 2-2"]);
  mesh.ack(endpoint, ["c"]);
  assert.deepEqual(mesh.take(), []);
  mesh.stream.release();
  assert.deepEqual(bodies(mesh.take())[0], ["c@1", "d@1"], "later, clusters go first as ever");
});

test("when anything else is due, all that is announced goes along, endpoints in their place", () => {
  const mesh = settled();
  mesh.announce({ [endpoint]: ["c@2"] });
  mesh.announce({ [cluster]: ["c@2"] });
  mesh.stream.release();
  assert.deepEqual(bodies(mesh.take()), [["c@2"], ["c@2"]]);
});
