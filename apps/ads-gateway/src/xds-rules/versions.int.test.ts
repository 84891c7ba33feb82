import assert from "node:assert/strict";
import { cluster, contents, deltaOnly, endpoint, rule, sotwOnly } from "./rule-under-test.ts";

const one = { [cluster]: ["a@1"], [endpoint]: ["a@1", "b@1"] };

rule(
  27,
  "version_info is of one type, and changes exactly when the client's view of it does",
  { ...sotwOnly, serving: one },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster);
    client.subscribe(endpoint, "a");
    const first = await client.nextAcked(cluster);
    const endpoints = await client.nextAcked(endpoint);
    await world.commit({ [cluster]: ["b@1"] });
    const second = await client.nextAcked(cluster);
    await world.commit({ [cluster]: ["-b"], [endpoint]: ["a@2"] });
    const third = await client.nextAcked(cluster);
    assert.notEqual(first.version, second.version);
    assert.equal(first.version, third.version, "the same view again");
    assert.notEqual(endpoints.version, (await client.nextAcked(endpoint)).version);
  },
);

rule(28, "an equal version and nothing new is not answered", { ...sotwOnly, serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  const response = await client.nextAcked(cluster);
  for (let count = 0; count < 3; count++) client.ack(response);
  assert.deepEqual(await client.finish(), []);
});

rule(
  29,
  "on a new stream the current version is sent again; so are names",
  { ...sotwOnly, serving: one },
  async (world) => {
    for (const [typeUrl, names] of [
      [cluster, []],
      [endpoint, ["a"]],
    ] as const) {
      const old = world.client();
      old.subscribe(typeUrl, ...names);
      const { version } = await old.nextAcked(typeUrl);
      const client = world.client();
      client.change(typeUrl, { subscribe: names }, { version });
      assert.deepEqual(contents(await client.next(typeUrl)), ["a@1"]);
    }
  },
);

rule(
  30,
  "new names at the same version are sent; of clusters the full set",
  { ...sotwOnly, serving: { ...one, [cluster]: ["a@1", "b@1"] } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "a");
    await client.nextAcked(cluster);
    client.subscribe(cluster, "b");
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1", "b@1"]);
    client.subscribe(endpoint, "a");
    await client.nextAcked(endpoint);
    client.subscribe(endpoint, "b");
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
  },
);

rule(
  31,
  "each resource has a version of its own, equal for equal content on every gateway",
  { ...deltaOnly, serving: one },
  async (world) => {
    const seen = [];
    for (const gateway of [world, await world.another()]) {
      const client = gateway.client();
      client.subscribe(endpoint, "a", "b");
      const response = await client.nextAcked(endpoint);
      seen.push({
        versions: response.resources.map(({ name, version }) => `${name}=${version}`).sort(),
        system: response.version,
      });
    }
    assert.deepEqual(seen[0]!.versions, ["a=1", "b=1"]);
    assert.deepEqual(seen[0], seen[1]);
  },
);

rule(
  32,
  "of initial_resource_versions the equal are not sent, others are, and what is gone is told",
  { ...deltaOnly, serving: { [cluster]: ["same@1", "other@2", "empty@1"] } },
  async (world) => {
    const initialVersions = { same: "1", other: "1", empty: "", gone: "1" };
    for (const subscribe of [[], ["*"], ["same", "other", "empty", "gone"]]) {
      const client = world.client();
      client.change(cluster, { subscribe }, { initialVersions });
      const response = await client.nextAcked(cluster);
      assert.deepEqual(contents(response), ["empty@1", "other@2"]);
      assert.deepEqual(response.removed, ["gone"]);
      assert.deepEqual(await client.finish(), []);
    }
  },
);

rule(33, "content that is published again is not sent again", { serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  client.subscribe(endpoint, "a");
  await client.nextAcked(cluster);
  await client.nextAcked(endpoint);
  await world.commit(one);
  await world.settled();
  assert.deepEqual(await client.finish(), []);
});

rule(
  34,
  "two gateways say the same version for the same content, and never for another",
  { serving: one },
  async (world) => {
    const versions: string[] = [];
    for (const [index, gateway] of [world, await world.another(), await world.another()].entries()) {
      if (index === 2) await gateway.commit({ [cluster]: ["a@other"] });
      const client = gateway.client();
      client.subscribe(cluster);
      versions.push((await client.next(cluster)).version);
    }
    assert.equal(versions[0], versions[1]);
    assert.notEqual(versions[0], versions[2]);
  },
);
