import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { PendingProxy_State } from "@fairlead/fairlead-api";
import { until } from "@fairlead/testing-basics";
import { openUnreadStream, XdsTestClient, type XdsTestClientOptions } from "@fairlead/testing-xds";
import { status } from "@grpc/grpc-js";
import { clusterForTest, endpointForTest, GatewayUnderTest, keyOf, routeForTest } from "./gateway-under-test.ts";

const { cluster, endpoint, listener, route } = typeUrls;

function connect(mesh: GatewayUnderTest, options: Partial<XdsTestClientOptions> = {}): XdsTestClient {
  return mesh.closeOnStop(new XdsTestClient({ address: mesh.address, ...options }));
}

async function serving(
  t: TestContext,
  ...args: Parameters<typeof GatewayUnderTest.serving>
): Promise<GatewayUnderTest> {
  const mesh = await GatewayUnderTest.serving(...args);
  t.after(() => mesh.stop());
  return mesh;
}
const namesOf = (response: { resources: readonly unknown[] }) => response.resources.length;

test("a proxy gets the mesh, ACKs it, and gets what changes", async (t) => {
  const mesh = await serving(t, [clusterForTest("a"), endpointForTest("a")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  const first = await client.nextAcked(cluster);
  assert.equal(namesOf(first), 1);
  assert.equal(first.controlPlane?.identifier, mesh.gateway.gatewayId);
  client.subscribe(endpoint, ["a"]);
  await client.nextAcked(endpoint);
  await client.expectSilence();
  const revision = await mesh.commit({ resources: [clusterForTest("b")] });
  assert.equal(namesOf(await client.next(cluster)), 2);
  const pending = await mesh.statusWhere((one) =>
    one.pending.some((entry) => entry.typeUrl === cluster && Number(entry.lastRevision) === revision),
  );
  assert.equal(pending.pending[0]!.nodeId, "test-node");
  assert.equal(pending.pending[0]!.state, PendingProxy_State.SENT);
});

test("a status says what is pending with the revision at the latest, and when it is ACKed", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  await mesh.statusWhere((one) => one.connected === 1 && one.pending.length === 0);
  const seen = mesh.statuses.length;
  const revision = await mesh.commit({ resources: [clusterForTest("a", "2")] });
  const response = await client.next(cluster);
  await mesh.statusWhere((one) => Number(one.revision) === revision);
  const firstWithIt = mesh.statuses.slice(seen).find((one) => Number(one.revision) === revision);
  assert.equal(firstWithIt?.pending.length, 1, "nobody may think it converged");
  client.ack(response);
  const last = await mesh.statusWhere((one) => Number(one.revision) === revision && one.pending.length === 0);
  assert.equal(last.connectedNodesUnchanged, true, "ids are not repeated with each ACK");
  assert.ok(mesh.statuses.some((one) => one.connectedNodes.length === 1 && one.connectedNodes[0] === "test-node"));
  assert.equal(last.debugUrl, mesh.gateway.debugUrl);
  const sequences = mesh.statuses.map((one) => one.sequence);
  assert.deepEqual(
    sequences,
    sequences.toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

test("a NACK is in the status and in /debug/syncz with its reason, and clears", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  client.nack(await client.next(cluster), "a is bad");
  const refused = await mesh.statusWhere((one) =>
    one.pending.some((entry) => entry.state === PendingProxy_State.NACKED),
  );
  assert.equal(refused.pending[0]!.detail, "a is bad");
  const nack = refused.nacks[0]!;
  assert.deepEqual([nack.nodeId, nack.typeUrl, nack.reason], ["test-node", cluster, "a is bad"]);
  assert.deepEqual(nack.resourceNames, ["a"]);
  assert.deepEqual(
    nack.provenance.map(({ kind, key }) => `${kind} ${key}`),
    ["service a"],
  );
  const syncz = await mesh.syncz();
  assert.equal(syncz.proxies[0]!.types[0]!.state, "NACKED");
  assert.equal(syncz.proxies[0]!.types[0]!.detail, "a is bad");
  assert.equal(syncz.proxies[0]!.app, "test-app");
  await mesh.commit({ resources: [clusterForTest("a", "2")] });
  await client.nextAcked(cluster);
  const taken = await mesh.statusWhere((one) => Number(one.revision) === 2 && one.pending.length === 0);
  assert.deepEqual(taken.nacks, []);
});

test("only streams whose view changed are written to; a node's own resources win", async (t) => {
  const own = { ...clusterForTest("a", "own"), key: "own/a" };
  const mesh = await serving(t, [clusterForTest("a"), clusterForTest("b")]);
  await mesh.commit({
    resources: [own],
    scopes: {
      everything: [keyOf(clusterForTest("a")), keyOf(clusterForTest("b"))],
      narrow: [keyOf(clusterForTest("a"))],
    },
    nodes: { n1: { scope: "narrow", keys: ["own/a"] } },
  });
  const [narrow, wide] = [connect(mesh, { nodeId: "n1" }), connect(mesh, { nodeId: "n2" })];
  narrow.subscribe(cluster);
  wide.subscribe(cluster);
  assert.equal(namesOf(await narrow.nextAcked(cluster)), 1);
  assert.equal(namesOf(await wide.nextAcked(cluster)), 2);
  await mesh.commit({
    resources: [clusterForTest("b", "2")],
    scopes: { everything: [keyOf(clusterForTest("a")), keyOf(clusterForTest("b"))] },
  });
  await wide.nextAcked(cluster);
  await narrow.expectSilence();
  const config = await mesh.config("n1");
  assert.equal(config.scope, "narrow");
  assert.deepEqual(
    config.types.find((type) => type.type === cluster)!.resources.map((one) => `${one.name}@${one.version}`),
    ["a@own"],
  );
});

test("rules 62, 63: one commit goes clusters first, and what is gone goes after the routes were ACKed", async (t) => {
  const mesh = await serving(t, [clusterForTest("a"), routeForTest("r")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  client.subscribe(route, ["r"]);
  await client.nextAcked(route);
  await mesh.commit({
    resources: [clusterForTest("b"), routeForTest("r", "2")],
    removed: [keyOf(clusterForTest("a"))],
  });
  assert.equal(namesOf(await client.nextAcked(cluster)), 2);
  const routes = await client.next(route);
  client.ack(routes);
  assert.equal(namesOf(await client.nextAcked(cluster)), 1);
  const received = client.log
    .filter((entry) => entry.direction === "received" && entry.typeUrl !== listener)
    .map((entry) => entry.typeUrl);
  assert.deepEqual(received.slice(-3), [cluster, route, cluster]);
});

test("rule 61: a storm of commits is few responses, and the last has the final state", async (t) => {
  const mesh = await serving(t, [endpointForTest("a")], { config: { debounceQuiet: 50 } });
  const client = connect(mesh);
  client.subscribe(endpoint, ["a"]);
  await client.nextAcked(endpoint);
  await mesh.statusWhere((one) => one.connected === 1 && one.pending.length === 0);
  for (let index = 2; index < 60; index++) await mesh.commit({ resources: [endpointForTest("a", String(index))] });
  const converged = mesh.statusWhere((one) => Number(one.revision) === mesh.revision && one.pending.length === 0);
  let responses = 0;
  const answering = (async () => {
    for (;;) {
      await client.nextAcked(endpoint);
      responses++;
    }
  })();
  await Promise.race([converged, answering]);
  answering.catch(() => undefined);
  assert.ok(responses >= 1 && responses <= 3, `${responses} responses`);
});

test("an endpoint does not wait for a storm of routes, and takes none of them along", async (t) => {
  const mesh = await serving(t, [endpointForTest("a"), routeForTest("r")], { config: { debounceQuiet: 60_000 } });
  const client = connect(mesh);
  client.subscribe(endpoint, ["a"]);
  await client.nextAcked(endpoint);
  client.subscribe(route, ["r"]);
  await client.nextAcked(route);
  await mesh.statusWhere((one) => one.connected === 1 && one.pending.length === 0);
  for (const version of ["2", "3"]) await mesh.commit({ resources: [routeForTest("r", version)] });
  await client.nextAcked(route);
  const revision = await mesh.commit({ resources: [endpointForTest("a", "2")] });
  await client.nextAcked(endpoint);
  const { pending } = await mesh.statusWhere((one) => Number(one.revision) === revision && one.pending.length === 1);
  assert.deepEqual(
    pending.map((entry) => [entry.typeUrl, entry.state, Number(entry.lastRevision)]),
    [[route, PendingProxy_State.BLOCKED, 3]],
  );
});

test("rules 1, 2: the first request's node counts; one without or with a bad id is refused", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  for (const nodeId of [undefined, "", "with space", "x".repeat(300)]) {
    const client = connect(mesh, { nodeId });
    client.subscribe(cluster);
    const ended = await client.ended;
    assert.equal(ended.code, status.INVALID_ARGUMENT, ended.details);
    assert.match(ended.details, /FL_NODE_ID_INVALID/);
  }
  const client = connect(mesh);
  client.subscribe(cluster);
  client.ack(await client.next(cluster));
  client.send({ node: { id: "another" }, typeUrl: endpoint, resourceNames: ["a"] });
  await client.expectSilence();
  const { proxies } = await mesh.syncz();
  assert.deepEqual(
    proxies.map((proxy) => proxy.node),
    ["test-node"],
  );
});

test("rule 3 and limits: what ends a stream", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const cases = [
    { send: { typeUrl: "" }, code: status.INVALID_ARGUMENT, text: /FL_XDS_TYPE_MISSING/ },
    {
      send: { typeUrl: endpoint, resourceNames: Array.from({ length: 10_001 }, (_, index) => `e${index}`) },
      code: status.RESOURCE_EXHAUSTED,
      text: /10001 names/,
    },
  ];
  for (const { send, code, text } of cases) {
    const client = connect(mesh);
    client.send(send);
    const ended = await client.ended;
    assert.equal(ended.code, code);
    assert.match(ended.details, text);
  }
  const malformed = connect(mesh);
  malformed.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  assert.match((await malformed.ended).details, /FL_XDS_MALFORMED/);
  const large = connect(mesh);
  large.sendBytes(Buffer.alloc(5 * 1024 * 1024));
  assert.equal((await large.ended).code, status.RESOURCE_EXHAUSTED);
  const tenThousand = connect(mesh);
  tenThousand.subscribe(
    endpoint,
    Array.from({ length: 10_000 }, (_, index) => `e${index}`),
  );
  await tenThousand.expectSilence();
});

test("rules 4, 10: an unknown type disturbs nobody, and a burst of requests is answered at most twice", async (t) => {
  const mesh = await serving(
    t,
    Array.from({ length: 10 }, (_, index) => endpointForTest(`e${index}`)),
  );
  const client = connect(mesh);
  client.subscribe("type.googleapis.com/some.Thing", ["x"]);
  const names = Array.from({ length: 10 }, (_, index) => `e${index}`);
  for (let count = 1; count <= 10; count++) client.subscribe(endpoint, names.slice(0, count));
  assert.equal(namesOf(await client.nextAcked(endpoint)), 1);
  assert.equal(namesOf(await client.nextAcked(endpoint)), 9);
  await client.expectSilence();
});

test("a gateway without a configuration refuses; it is ready with the first commit", async (t) => {
  const mesh = new GatewayUnderTest();
  t.after(() => mesh.stop());
  await mesh.start();
  const early = connect(mesh);
  early.subscribe(cluster);
  assert.equal((await early.ended).code, status.UNAVAILABLE);
  assert.equal((await fetch(`${mesh.gateway.debugUrl}/readyz`)).status, 503);
  await mesh.putRaw("resource.bm9uc2Vuc2U", Uint8Array.of(255, 255));
  await mesh.commit({ resources: [clusterForTest("a")] });
  await until("ready", async () => (await fetch(`${mesh.gateway.debugUrl}/readyz`)).status === 200);
  const client = connect(mesh);
  client.subscribe(cluster);
  assert.equal(namesOf(await client.nextAcked(cluster)), 1);
});

test("peers that prove nothing, or may not be the node, are refused", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")], {
    authenticate: ({ address }) => {
      assert.match(address, /^127\.0\.0\.1:\d+$/);
      return { mayBe: (nodeId) => nodeId === "good" };
    },
  });
  const bad = connect(mesh, { nodeId: "bad" });
  bad.subscribe(cluster);
  assert.equal((await bad.ended).code, status.PERMISSION_DENIED);
  const good = connect(mesh, { nodeId: "good" });
  good.subscribe(cluster);
  await good.nextAcked(cluster);
  const closed = await serving(t, [clusterForTest("a")], { authenticate: () => undefined });
  const stranger = connect(closed);
  stranger.subscribe(cluster);
  assert.equal((await stranger.ended).code, status.UNAUTHENTICATED);
});

test("more streams than allowed are refused", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")], { config: { maxStreams: 1 } });
  const first = connect(mesh);
  first.subscribe(cluster);
  await first.nextAcked(cluster);
  const second = connect(mesh);
  second.subscribe(cluster);
  assert.equal((await second.ended).code, status.RESOURCE_EXHAUSTED);
});

test("rules 8, 9: a half-closed stream ends OK; the other stream of the node goes on", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const [old, current] = [connect(mesh), connect(mesh)];
  for (const client of [old, current]) {
    client.subscribe(cluster);
    await client.nextAcked(cluster);
  }
  await mesh.commit({ resources: [clusterForTest("b")] });
  await old.nextAcked(cluster);
  await current.nextAcked(cluster);
  old.halfClose();
  assert.equal((await old.ended).code, status.OK);
  await mesh.commit({ resources: [clusterForTest("c")] });
  assert.equal(namesOf(await current.nextAcked(cluster)), 3);
  assert.equal((await mesh.connections()).length, 1);
});

test("rule 74: a proxy that does not read is written to no further, is cut after a time, and delays nobody", async (t) => {
  const large = (version: string) => clusterForTest("large", version, 1024 * 1024);
  const mesh = await serving(t, [large("1")], { config: { sendTimeout: 400, ackTimeout: 50 } });
  const stuck = openUnreadStream(mesh.address, { typeUrl: cluster, node: { id: "stuck" } });
  t.after(() => stuck.close());
  await mesh.statusWhere((one) => one.connected === 1);
  const quick = connect(mesh, { nodeId: "quick" });
  quick.subscribe(cluster);
  await quick.nextAcked(cluster);
  for (let version = 2; version < 6; version++) {
    await mesh.commit({ resources: [large(String(version))] });
    await quick.nextAcked(cluster);
  }
  await stuck.cut;
  const left = await mesh.statusWhere(
    (one) => one.connected === 1 && one.revision === 5n && !one.connectedNodesUnchanged,
  );
  assert.deepEqual(left.connectedNodes, ["quick"]);
  const sent = mesh.statuses
    .flatMap((one) => one.pending)
    .filter((entry) => entry.nodeId === "stuck" && entry.state === PendingProxy_State.SENT);
  assert.ok(sent.length > 0 && sent.every((entry) => entry.lastRevision === 1n), "only the first response was written");
});

test("rule 8: a thousand cancelled streams leave nothing behind", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  for (let round = 0; round < 20; round++) {
    const clients = Array.from({ length: 50 }, (_, index) => connect(mesh, { nodeId: `n${index}` }));
    for (const client of clients) client.subscribe(cluster);
    await Promise.all(clients.map((client) => client.next(cluster)));
    for (const client of clients) client.close();
  }
  await until("no connection is left", async () => (await mesh.connections()).length === 0);
  await mesh.statusWhere((one) => one.connected === 0 && one.pending.length === 0 && one.sequence > 1n);
});

test("a bus that goes away breaks nothing; afterwards changes and statuses go on", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  for (const loseWatches of [false, true]) {
    mesh.bus.simulateDisconnect();
    client.subscribe(endpoint, [`e-${loseWatches}`]);
    await client.expectSilence();
    mesh.bus.simulateReconnect({ loseWatches });
    const revision = await mesh.commit({ resources: [clusterForTest("a", `after-${loseWatches}`)] });
    await client.nextAcked(cluster);
    await mesh.statusWhere((one) => Number(one.revision) === revision && one.pending.length === 0);
  }
});

test("rule 12: a gateway that stops says so, ends its streams, and is gone fast", async () => {
  const mesh = await GatewayUnderTest.serving([clusterForTest("a")]);
  const client = connect(mesh);
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  const from = performance.now();
  await mesh.gateway.stop();
  assert.ok(performance.now() - from < 900, "well before the drain time-out");
  const ended = await client.ended;
  assert.equal(ended.code, status.UNAVAILABLE);
  assert.match(ended.details, /FL_GATEWAY_STOPPING/);
  await mesh.statusWhere((one) => one.leaving);
  await mesh.stop();
});
