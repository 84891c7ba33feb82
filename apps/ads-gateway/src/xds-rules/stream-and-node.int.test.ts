import assert from "node:assert/strict";
import { until } from "@fairlead/testing-basics";
import { status } from "@grpc/grpc-js";
import { adsOnly, cluster, contents, endpoint, rule } from "./rule-under-test.ts";

const ab = { [endpoint]: ["a@1", "b@1"], [cluster]: ["a@1"] };

rule(1, "the node of the first request is that of the stream; later ones need none", { serving: ab }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@1"]);
  client.subscribe(endpoint, "b");
  assert.ok(contents(await client.nextAcked(endpoint)).includes("b@1"));
});

rule(1, "a first request without a node id is refused", { serving: ab }, async (world) => {
  const client = world.client({ nodeId: undefined });
  client.subscribe(endpoint, "a");
  const ended = await client.ended(endpoint);
  assert.equal(ended.code, status.INVALID_ARGUMENT);
  assert.match(ended.details, /FL_NODE_ID_INVALID/);
});

rule(2, "another node later on the stream is ignored", { serving: ab }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  await client.nextAcked(endpoint);
  client.change(endpoint, { subscribe: ["b"] }, { node: { id: "another" } });
  await client.nextAcked(endpoint);
  assert.deepEqual(
    (await world.mesh.syncz()).proxies.map((proxy) => proxy.node),
    ["test-node"],
  );
});

rule(
  3,
  "without type_url ADS ends with INVALID_ARGUMENT; a service of one type takes its own",
  { serving: ab },
  async (world) => {
    const client = world.client();
    client.send({ typeUrl: "", names: ["a"], subscribe: ["a"] }, endpoint);
    if (world.service === "single") {
      const response = await client.next(endpoint);
      assert.deepEqual(contents(response), ["a@1"]);
      return;
    }
    const ended = await client.ended(endpoint);
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    assert.match(ended.details, /FL_XDS_TYPE_MISSING/);
  },
);

const unknown = "type.googleapis.com/some.Thing";

rule(
  4,
  "an unknown type disturbs no other: delta says that its names do not exist, SotW is silent",
  { ...adsOnly, serving: ab },
  async (world) => {
    const client = world.client();
    client.subscribe(unknown, "x");
    client.subscribe(endpoint, "a");
    if (world.variant === "delta") assert.deepEqual((await client.nextAcked(unknown)).removed, ["x"]);
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@1"]);
    assert.deepEqual(await client.finish(), []);
  },
);

rule(
  4,
  "another type on a service of one type ends that stream alone",
  { services: ["single"], serving: ab },
  async (world) => {
    const [bad, good] = [world.client(), world.client()];
    good.subscribe(endpoint, "a");
    await good.nextAcked(endpoint);
    bad.send({ typeUrl: cluster }, endpoint);
    const ended = await bad.ended(endpoint);
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    assert.match(ended.details, /FL_XDS_TYPE_FOREIGN/);
    await world.commit({ [endpoint]: ["a@2"] });
    assert.deepEqual(contents(await good.next(endpoint)), ["a@2"]);
  },
);

rule(
  5,
  "each type has a nonce, a version, a subscription and a wildcard of its own",
  { serving: ab },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster);
    client.subscribe(endpoint, "a");
    const clusters = await client.next(cluster);
    const endpoints = await client.next(endpoint);
    assert.deepEqual([contents(clusters), contents(endpoints)], [["a@1"], ["a@1"]]);
    client.ack(endpoints);
    await world.stateIs(endpoint, "ACKED");
    assert.equal((await world.typeStatus(cluster))?.state, "SENT");
    if (world.service === "ads") {
      client.change(cluster, {}, { nonce: endpoints.nonce });
      client.subscribe(endpoint, "b");
      await client.nextAcked(endpoint);
      assert.equal((await world.typeStatus(cluster))?.state, "SENT", "the nonce of another type acknowledges nothing");
    }
  },
);

rule(6, "each response has a nonce of its own, and the type of its resources", { serving: ab }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  client.subscribe(endpoint, "a");
  await client.nextAcked(cluster);
  await client.nextAcked(endpoint);
  await world.commit({ [cluster]: ["b@1"], [endpoint]: ["a@2"] });
  await client.nextAcked(cluster);
  await client.nextAcked(endpoint);
  for (const typeUrl of [cluster, endpoint]) {
    const nonces = client.taken
      .filter((response) => world.service === "ads" || response.typeUrl === typeUrl)
      .map((response) => response.nonce);
    assert.ok(nonces.every((nonce) => nonce !== ""));
    assert.equal(new Set(nonces).size, nonces.length);
  }
  for (const response of client.taken) {
    for (const resource of response.resources) assert.equal(resource.typeUrl, response.typeUrl);
  }
});

rule(7, "the first request on a stream is served whatever nonce and version it has", { serving: ab }, async (world) => {
  const old = world.client();
  old.subscribe(cluster);
  const before = await old.nextAcked(cluster);
  for (const nonce of [before.nonce, "of-another-gateway"]) {
    const client = world.client();
    client.change(cluster, {}, { nonce, version: before.version });
    assert.deepEqual(contents(await client.next(cluster)), ["a@1"]);
  }
});

rule(8, "a half-closed stream ends OK", { serving: ab }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  assert.deepEqual(await client.finish(), []);
  await until("no connection is left", async () => (await world.mesh.connections()).length === 0);
});

rule(8, "streams that are cancelled leave nothing behind, 250 times", { serving: ab }, async (world) => {
  for (let round = 0; round < 5; round++) {
    const clients = Array.from({ length: 50 }, (_, index) => world.client({ nodeId: `n${index}` }));
    for (const client of clients) client.subscribe(cluster);
    await Promise.all(clients.map((client) => client.next(cluster)));
    for (const client of clients) client.close();
  }
  await until("no connection is left", async () => (await world.mesh.connections()).length === 0);
  await world.mesh.statusWhere((one) => one.connected === 0 && one.pending.length === 0 && one.sequence > 1n);
});

rule(9, "two streams of one node both get pushes; closing the old leaves the new", { serving: ab }, async (world) => {
  const [old, current] = [world.client(), world.client()];
  for (const client of [old, current]) {
    client.subscribe(cluster);
    await client.nextAcked(cluster);
  }
  await world.commit({ [cluster]: ["b@1"] });
  await old.nextAcked(cluster);
  await current.nextAcked(cluster);
  old.close();
  await until("the old connection is gone", async () => (await world.mesh.connections()).length === 1);
  await world.commit({ [cluster]: ["c@1"] });
  assert.ok(contents(await current.nextAcked(cluster)).includes("c@1"));
});

const ten = Array.from({ length: 10 }, (_, index) => `e${index}`);

rule(
  10,
  "a burst of ten requests is answered at most twice",
  { serving: { [endpoint]: ten.map((name) => `${name}@1`) } },
  async (world) => {
    const client = world.client();
    for (const name of ten) client.subscribe(endpoint, name);
    const got = [...contents(await client.nextAcked(endpoint)), ...contents(await client.nextAcked(endpoint))];
    assert.deepEqual(
      got.sort(),
      ten.map((name) => `${name}@1`),
    );
    assert.deepEqual(await client.finish(), []);
  },
);

rule(11, "a response says which control plane sent it", { serving: ab }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  assert.equal((await client.next(cluster)).controlPlane, world.mesh.gateway.gatewayId);
});

rule(
  12,
  "a server that stops ends its streams fast; on the next one the client resumes",
  { serving: ab, gateway: { config: { drainTimeout: 5000 } } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster);
    const held = await client.nextAcked(cluster);
    const from = performance.now();
    await world.mesh.gateway.stop();
    assert.ok(performance.now() - from < 2500, "well before the drain time-out");
    assert.equal((await client.ended(cluster)).code, status.UNAVAILABLE);
    const next = await world.another();
    const again = next.client();
    const initialVersions = Object.fromEntries(held.resources.map(({ name, version }) => [name, version]));
    again.change(cluster, {}, { version: held.version, initialVersions });
    if (world.variant === "sotw") assert.deepEqual(contents(await again.nextAcked(cluster)), ["a@1"]);
    else assert.deepEqual(await again.finish(), [], "it has everything");
  },
);
