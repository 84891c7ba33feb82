import assert from "node:assert/strict";
import { PendingProxy_State } from "@fairlead/fairlead-api";
import { adsOnly, cluster, contents, deltaOnly, endpoint, route, rule, sotwOnly } from "./rule-under-test.ts";

const one = { [cluster]: ["a@1"], [endpoint]: ["a@1"] };

rule(13, "an ACK is noted and not answered", { ...sotwOnly, serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  const response = await client.nextAcked(cluster);
  client.ack(response);
  await world.stateIs(cluster, "ACKED");
  assert.deepEqual(await client.finish(), []);
});

rule(14, "a request with error_detail is a NACK, with whatever version", { serving: one }, async (world) => {
  for (const withNewVersion of [false, true]) {
    const client = world.client({ nodeId: `n-${withNewVersion}` });
    client.subscribe(cluster);
    const response = await client.next(cluster);
    client.nack(response, "bad", { version: withNewVersion ? response.version : "" });
    const status = await world.mesh.statusWhere((entry) =>
      entry.pending.some(
        (pending) => pending.nodeId === `n-${withNewVersion}` && pending.state === PendingProxy_State.NACKED,
      ),
    );
    assert.ok(status);
    assert.deepEqual(await client.finish(), []);
  }
});

rule(15, "after a NACK nothing is sent until the content changes, and then it is", { serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  client.nack(await client.next(cluster), "no good");
  await world.stateIs(cluster, "NACKED");
  const revision = await world.commit({ [cluster]: ["a@1"], [endpoint]: ["other@1"] });
  await world.mesh.statusWhere((status) => Number(status.revision) === revision);
  await world.commit({ [cluster]: ["a@2"] });
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@2"]);
  assert.deepEqual(await client.finish(), []);
});

rule(
  15,
  "what the reason names is held back, and nothing else",
  { serving: { [endpoint]: ["bad@1", "good@1"] } },
  async (world) => {
    const client = world.client();
    client.change(endpoint, { subscribe: ["bad", "good"] });
    client.nack(await client.next(endpoint), "resource 'bad': no such locality");
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["good@1"]);
    await world.commit({ [endpoint]: ["good@2"] });
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["good@2"]);
    await world.stateIs(endpoint, "NACKED");
    await world.commit({ [endpoint]: ["bad@2"] });
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["bad@2"]);
    await world.stateIs(endpoint, "ACKED");
  },
);

rule(16, "a later good version is ACKed, and the error is forgotten", { serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  client.nack(await client.next(cluster), "no good");
  await world.stateIs(cluster, "NACKED");
  await world.commit({ [cluster]: ["a@2"] });
  await client.nextAcked(cluster);
  await world.stateIs(cluster, "ACKED");
  assert.equal((await world.typeStatus(cluster))?.detail, "");
  await world.settled();
});

rule(17, "the names of a NACK count", { serving: { [endpoint]: ["a@1", "b@1"] } }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  client.nack(await client.next(endpoint), "no good", { subscribe: ["b"], unsubscribe: ["a"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
  await world.commit({ [endpoint]: ["a@2", "b@2"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@2"], "a was given up");
});

rule(18, "a NACK blocks no other type and no other node", { serving: one }, async (world) => {
  const [client, other] = [world.client(), world.client({ nodeId: "other" })];
  other.subscribe(cluster);
  await other.nextAcked(cluster);
  client.subscribe(cluster);
  client.nack(await client.next(cluster), "no good");
  client.subscribe(endpoint, "a");
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@1"]);
  await world.commit({ [cluster]: ["b@1"], [endpoint]: ["a@2"] });
  assert.ok(contents(await other.nextAcked(cluster)).includes("b@1"));
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@2"]);
});

rule(19, "a request with an old nonce is not answered", { ...sotwOnly, serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  const first = await client.nextAcked(endpoint);
  await world.commit({ [endpoint]: ["a@2"] });
  await client.next(endpoint);
  client.ack(first);
  client.nack(first, "an old refusal");
  assert.deepEqual(await client.finish(), []);
});

rule(
  20,
  "a name in a stale request is sent with the ACK of the response under way",
  { ...sotwOnly, serving: { [endpoint]: ["a@1", "b@1"] } },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a");
    const first = await client.next(endpoint);
    client.change(endpoint, { subscribe: ["b"] }, { nonce: "stale" });
    client.ack(first);
    assert.deepEqual(contents(await client.next(endpoint)), ["b@1"]);
  },
);

rule(
  21,
  "a second request with an empty nonce is served, before and after the first response",
  { ...sotwOnly, serving: { [cluster]: ["a@1", "b@1", "c@1"] } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "a");
    client.subscribe(cluster, "b");
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1"]);
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1", "b@1"]);
    client.subscribe(cluster, "c");
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1", "b@1", "c@1"]);
  },
);

const abc = { [endpoint]: ["a@1", "b@1", "c@1"] };

rule(22, "a stale or unknown nonce rejects no subscription", { ...deltaOnly, serving: abc }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  const first = await client.nextAcked(endpoint);
  client.change(endpoint, { subscribe: ["b"] }, { nonce: "of-nobody" });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
  client.change(endpoint, { subscribe: ["c"], unsubscribe: ["a"] }, { nonce: first.nonce });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["c@1"]);
  await world.commit({ [endpoint]: ["a@2", "b@2"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@2"]);
});

rule(23, "an ACK without names is not answered", { ...deltaOnly, serving: one }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  const { nonce } = await client.next(endpoint);
  client.send({ typeUrl: endpoint, nonce });
  await world.stateIs(endpoint, "ACKED");
  assert.deepEqual(await client.finish(), []);
});

rule(
  24,
  "a request of its own accord is valid beside a response that is not ACKed",
  { ...deltaOnly, serving: abc },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a");
    const first = await client.next(endpoint);
    client.subscribe(endpoint, "b");
    client.unsubscribe(endpoint, "a");
    client.ack(first);
    assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
  },
);

rule(25, "an ACK and a subscription in one message", { ...deltaOnly, serving: abc }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  client.ack(await client.next(endpoint), { subscribe: ["b"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["b@1"]);
  await world.stateIs(endpoint, "ACKED");
});

rule(
  26,
  "the reason of a NACK and its version are kept by node and type; its code does not matter",
  { serving: one },
  async (world) => {
    for (const code of [3, 13, 14]) {
      const client = world.client({ nodeId: `n${code}` });
      client.subscribe(cluster);
      const { nonce } = await client.next(cluster);
      client.change(cluster, {}, { nonce, error: { code, message: `reason ${code}` } });
      await world.mesh.statusWhere((status) =>
        status.pending.some(
          (entry) => entry.nodeId === `n${code}` && entry.detail === `reason ${code}` && entry.typeUrl === cluster,
        ),
      );
      const proxy = (await world.mesh.syncz()).proxies.find(({ node }) => node === `n${code}`);
      const type = proxy?.types.find((entry) => entry.type === cluster);
      assert.deepEqual([type?.state, type?.detail, type?.ackedVersion], ["NACKED", `reason ${code}`, ""]);
      assert.notEqual(type?.sentVersion, "");
    }
  },
);

rule(26, "a NACK on ADS is of its type alone", { ...adsOnly, serving: { ...one, [route]: ["r@1"] } }, async (world) => {
  const client = world.client();
  client.subscribe(route, "r");
  client.nack(await client.next(route), "bad route");
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  await world.stateIs(cluster, "ACKED");
  assert.equal((await world.typeStatus(route))?.detail, "bad route");
});
