import assert from "node:assert/strict";
import { cluster, contents, deltaOnly, endpoint, listener, rule, sotwOnly } from "./rule-under-test.ts";

const mesh = { [cluster]: ["a@1", "b@1"], [listener]: ["l@1", "m@1"], [endpoint]: ["a@1", "b@1"] };

rule(
  55,
  "a response for listeners or clusters is all that the client shall have; an empty one deletes all",
  { ...sotwOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    for (const [typeUrl, spec, left] of [
      [cluster, "a", "b"],
      [listener, "l", "m"],
    ] as const) {
      client.subscribe(typeUrl);
      await client.nextAcked(typeUrl);
      await world.commit({ [typeUrl]: [`${left}@2`] });
      assert.deepEqual(contents(await client.nextAcked(typeUrl)), [`${spec}@1`, `${left}@2`]);
      await world.commit({ [typeUrl]: [`-${spec}`] });
      assert.deepEqual(contents(await client.nextAcked(typeUrl)), [`${left}@2`]);
      await world.commit({ [typeUrl]: [`-${left}`] });
      assert.deepEqual(contents(await client.nextAcked(typeUrl)), []);
    }
  },
);

rule(
  56,
  "deleting a listener or cluster is pushed, deleting endpoints is not",
  { ...sotwOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a");
    await client.nextAcked(endpoint);
    client.subscribe(cluster, "a", "b");
    await client.nextAcked(cluster);
    await world.commit({ [endpoint]: ["-a"] });
    await world.settled();
    await world.commit({ [cluster]: ["-a"] });
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["b@1"]);
    assert.deepEqual(await client.finish(), []);
  },
);

rule(57, "a response for other types has what changed", { ...sotwOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a", "b");
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@1", "b@1"]);
  await world.commit({ [endpoint]: ["b@2"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@2"]);
});

rule(58, "no name is in a response twice", { serving: mesh }, async (world) => {
  const client = world.client();
  client.change(cluster, { subscribe: ["*", "a", "a", "none", "none"] });
  client.change(endpoint, { subscribe: ["a", "a", "none"] });
  const responses = [await client.nextAcked(cluster), await client.nextAcked(endpoint)];
  await world.commit({ [cluster]: ["a@2", "-b"], [endpoint]: ["a@2"] });
  responses.push(await client.nextAcked(cluster), await client.nextAcked(endpoint));
  for (const response of responses) {
    const names = [...contents(response).map((text) => text.split("@")[0]), ...response.removed];
    assert.equal(new Set(names).size, names.length, names.join());
  }
});

rule(59, "a deletion is told once, a re-creation is sent", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(listener);
  client.subscribe(endpoint, "a");
  await client.nextAcked(listener);
  await client.nextAcked(endpoint);
  for (const [typeUrl, name] of [
    [listener, "l"],
    [endpoint, "a"],
  ] as const) {
    await world.commit({ [typeUrl]: [`-${name}`] });
    const response = await client.nextAcked(typeUrl);
    assert.deepEqual([contents(response), response.removed], [[], [name]]);
    await world.settled();
    await world.commit({ [typeUrl]: [`${name}@1`] });
    const again = await client.nextAcked(typeUrl);
    assert.deepEqual([contents(again), again.removed], [[`${name}@1`], []]);
  }
});

rule(60, "what has not changed is not sent again", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  await world.commit({ [cluster]: ["b@2", "c@1"] });
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["b@2", "c@1"]);
  await world.commit({ [cluster]: ["c@2"] });
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["c@2"]);
});

rule(
  61,
  "a burst of changes is few responses, and the last one has the final state",
  { serving: mesh, gateway: { config: { debounceQuiet: 50 } } },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a");
    await client.nextAcked(endpoint);
    for (let version = 2; version < 60; version++) await world.commit({ [endpoint]: [`a@${version}`] });
    let last = "";
    let responses = 0;
    while (last !== "a@59") {
      last = contents(await client.nextAcked(endpoint))[0]!;
      responses++;
    }
    assert.ok(responses <= 4, `${responses} responses`);
  },
);
