import assert from "node:assert/strict";
import type { VariantClient } from "@fairlead/testing-xds";
import { adsOnly, cluster, contents, endpoint, listener, route, rule, type RuleWorld } from "./rule-under-test.ts";

const mesh = { [cluster]: ["a@1"], [endpoint]: ["a@1"], [listener]: ["l@1"], [route]: ["r@a"] };

/** A client that has all four types. */
async function connected(world: RuleWorld): Promise<VariantClient> {
  const client = world.client();
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  client.subscribe(endpoint, "a");
  await client.nextAcked(endpoint);
  client.subscribe(listener);
  await client.nextAcked(listener);
  client.subscribe(route, "r");
  await client.nextAcked(route);
  await world.settled();
  return client;
}

rule(
  62,
  "a change of many types goes clusters, endpoints, listeners, routes",
  { ...adsOnly, serving: mesh },
  async (world) => {
    const client = await connected(world);
    await world.commit({ [route]: ["r@2"], [listener]: ["l@2"], [endpoint]: ["a@2"], [cluster]: ["a@2"] });
    const order = [];
    for (const typeUrl of [route, listener, endpoint, cluster]) order.push(client.nextAcked(typeUrl));
    await Promise.all(order);
    const byNonce = client.taken
      .slice(-4)
      .toSorted((a, b) => Number(a.nonce.split("-").at(-1)) - Number(b.nonce.split("-").at(-1)));
    assert.deepEqual(
      byNonce.map((response) => response.typeUrl),
      [cluster, endpoint, listener, route],
    );
  },
);

rule(
  63,
  "a new cluster and its endpoints come before the route, and the old cluster goes after it",
  { ...adsOnly, serving: mesh },
  async (world) => {
    const client = await connected(world);
    await world.commit({ [cluster]: ["-a", "b@1"], [endpoint]: ["-a", "b@1"], [route]: ["r@b"] });
    const clusters = await client.nextAcked(cluster);
    assert.deepEqual(contents(clusters), world.variant === "sotw" ? ["a@1", "b@1"] : ["b@1"], "a stays for now");
    assert.deepEqual(clusters.removed, []);
    client.subscribe(endpoint, "b");
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
    const routes = await client.next(route);
    assert.deepEqual(contents(routes), ["r@b"]);
    client.ack(routes);
    const reduced = await client.nextAcked(cluster);
    if (world.variant === "sotw") assert.deepEqual(contents(reduced), ["b@1"]);
    else assert.deepEqual([contents(reduced), reduced.removed], [[], ["a"]]);
    if (world.variant === "delta") assert.deepEqual((await client.nextAcked(endpoint)).removed, ["a"]);
    await world.settled();
  },
);

rule(
  64,
  "after an update of its cluster, endpoints are sent once more: in SotW when asked, in delta with the clusters",
  { ...adsOnly, serving: mesh },
  async (world) => {
    const client = await connected(world);
    await world.commit({ [cluster]: ["a@2"] });
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@2"]);
    // Looks like an ACK of what was ACKed before.
    const lastNonce = client.taken.findLast((response) => response.typeUrl === endpoint)!.nonce;
    if (world.variant === "sotw") client.change(endpoint, {}, { nonce: lastNonce });
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@1"]);
    assert.deepEqual(await client.finish(), []);
  },
);

rule(
  65,
  "what is not ACKed, or refused, blocks nothing for ever",
  { ...adsOnly, serving: mesh, gateway: { config: { ackTimeout: 100 } } },
  async (world) => {
    const client = await connected(world);
    await world.commit({ [cluster]: ["b@1"], [route]: ["r@b"] });
    await client.next(cluster);
    assert.deepEqual(contents(await client.nextAcked(route)), ["r@b"], "without an ACK of the clusters");
    await world.commit({ [cluster]: ["-b"], [route]: ["r@a"] });
    client.nack(await client.next(route), "no good");
    for (let reduced = await client.next(cluster); ; reduced = await client.next(cluster)) {
      client.ack(reduced);
      const gone = world.variant === "sotw" ? !contents(reduced).includes("b@1") : reduced.removed.includes("b");
      if (gone) break;
    }
  },
);

rule(
  66,
  "one response a type is without an ACK; what changes meanwhile goes with the ACK, as one",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a");
    const first = await client.next(endpoint);
    for (let version = 2; version < 6; version++) {
      const revision = await world.commit({ [endpoint]: [`a@${version}`] });
      await world.mesh.statusWhere((status) => Number(status.revision) === revision);
    }
    assert.equal((await world.typeStatus(endpoint))?.state, "BLOCKED");
    client.ack(first);
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@5"]);
    await world.settled();
    assert.deepEqual(await client.finish(), []);
  },
);

rule(67, "types that nobody asked for are not waited for", { ...adsOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(route, "r");
  await client.nextAcked(route);
  await world.commit({ [cluster]: ["-a", "b@1"], [endpoint]: ["b@1"], [listener]: ["l@2"], [route]: ["r@b"] });
  assert.deepEqual(contents(await client.nextAcked(route)), ["r@b"]);
  assert.deepEqual(await client.finish(), []);
});
