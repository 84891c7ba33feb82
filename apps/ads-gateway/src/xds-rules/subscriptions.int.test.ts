import assert from "node:assert/strict";
import { cluster, contents, deltaOnly, endpoint, listener, route, rule, sotwOnly } from "./rule-under-test.ts";

const mesh = { [cluster]: ["a@1", "b@1"], [listener]: ["l@1", "api@1?"], [endpoint]: ["a@1", "b@1"], [route]: ["r@1"] };

rule(
  35,
  "listeners and clusters without a name are a wildcard; what is on demand is not in it",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster);
    client.subscribe(listener);
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1", "b@1"]);
    assert.deepEqual(contents(await client.nextAcked(listener)), ["l@1"]);
    await world.commit({ [cluster]: ["c@1"] });
    assert.ok(contents(await client.nextAcked(cluster)).includes("c@1"));
  },
);

rule(36, "* is a wildcard", { serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(cluster, "*");
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1", "b@1"]);
  await world.commit({ [cluster]: ["c@1"] });
  assert.ok(contents(await client.nextAcked(cluster)).includes("c@1"));
});

rule(37, "{} → {*, a} → {a} → {} is wildcard, both, a only, nothing", { ...sotwOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.send({ typeUrl: cluster });
  let last = await client.next(cluster);
  const ack = (names: readonly string[]) =>
    client.send({ typeUrl: cluster, names, nonce: last.nonce, version: last.version });
  ack(["*", "a"]);
  last = await client.next(cluster);
  assert.deepEqual(contents(last), ["a@1", "b@1"]);
  ack(["*", "a"]);
  ack(["a"]);
  await world.countIs(cluster, 1);
  await world.commit({ [cluster]: ["b@2"] });
  await world.settled();
  await world.commit({ [cluster]: ["a@2"] });
  last = await client.next(cluster);
  assert.deepEqual(contents(last), ["a@2"]);
  ack(["a"]);
  ack([]);
  await world.stateIs(cluster, "NOT_SUBSCRIBED");
  await world.commit({ [cluster]: ["a@3"] });
  await world.settled();
  assert.deepEqual(await client.finish(), []);
});

rule(38, "{} → +a → −* → −a is wildcard, both, a only, nothing", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  client.subscribe(cluster, "a");
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@1"]);
  await world.commit({ [cluster]: ["b@2"] });
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["b@2"]);
  client.unsubscribe(cluster, "*");
  client.subscribe(cluster, "none");
  await client.nextAcked(cluster);
  await world.commit({ [cluster]: ["b@3"] });
  await world.commit({ [cluster]: ["a@2"] });
  assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@2"]);
  client.unsubscribe(cluster, "a", "none");
  await world.stateIs(cluster, "NOT_SUBSCRIBED");
  await world.commit({ [cluster]: ["a@3"] });
  await world.settled();
  assert.deepEqual(await client.finish(), []);
});

rule(
  39,
  "an empty list after names ends the subscription, unanswered",
  { ...sotwOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    for (const typeUrl of [cluster, endpoint]) {
      client.subscribe(typeUrl, "a");
      const response = await client.nextAcked(typeUrl);
      client.ack(response, { unsubscribe: ["a"] });
      await world.stateIs(typeUrl, "NOT_SUBSCRIBED");
    }
    await world.commit({ [cluster]: ["a@2"], [endpoint]: ["a@2"] });
    await world.settled();
    assert.deepEqual(await client.finish(), []);
  },
);

rule(
  40,
  "what a wildcard was is known by type and stream: a new stream starts fresh",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "a");
    await client.nextAcked(cluster);
    client.subscribe(listener);
    assert.deepEqual(contents(await client.nextAcked(listener)), ["l@1"]);
    client.close();
    const again = world.client();
    again.subscribe(cluster);
    assert.deepEqual(contents(await again.nextAcked(cluster)), ["a@1", "b@1"]);
  },
);

rule(41, "only names that are subscribed are sent", { serving: mesh }, async (world) => {
  const client = world.client();
  for (const typeUrl of [cluster, endpoint]) {
    client.subscribe(typeUrl, "a");
    assert.deepEqual(contents(await client.nextAcked(typeUrl)), ["a@1"]);
  }
  await world.commit({ [cluster]: ["b@2"], [endpoint]: ["b@2"] });
  await world.settled();
  assert.deepEqual(await client.finish(), []);
});

rule(
  42,
  "a name that is asked for anew is sent, though it was sent before and has not changed",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "*");
    await client.nextAcked(cluster);
    client.subscribe(cluster, "a");
    assert.ok(contents(await client.nextAcked(cluster)).includes("a@1"));
  },
);

rule(43, "given up and asked for again, it is sent again at the same version", { serving: mesh }, async (world) => {
  const client = world.client();
  for (const typeUrl of [endpoint, cluster]) {
    client.subscribe(typeUrl, "a", "b");
    await client.nextAcked(typeUrl);
    client.unsubscribe(typeUrl, "b");
    client.subscribe(typeUrl, "b");
    assert.ok(contents(await client.nextAcked(typeUrl)).includes("b@1"));
  }
});

rule(44, "giving up a name needs no answer; its updates are not sent", { serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a", "b");
  client.ack(await client.nextAcked(endpoint), { unsubscribe: ["b"] });
  await world.countIs(endpoint, 1);
  await world.commit({ [endpoint]: ["b@2"] });
  await world.settled();
  await world.commit({ [endpoint]: ["a@2"] });
  assert.deepEqual(contents(await client.nextAcked(endpoint)), ["a@2"]);
  assert.deepEqual(await client.finish(), []);
});

rule(
  45,
  "a name that is subscribed and up to date is sent again when it is asked for again",
  { ...deltaOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    for (const typeUrl of [endpoint, cluster]) {
      client.subscribe(typeUrl, "a");
      await client.nextAcked(typeUrl);
      client.subscribe(typeUrl, "a");
      assert.deepEqual(contents(await client.nextAcked(typeUrl)), ["a@1"]);
    }
  },
);

rule(46, "giving up what was never asked for does nothing", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a");
  await client.nextAcked(endpoint);
  client.unsubscribe(endpoint, "b", "never");
  client.subscribe(listener);
  await client.nextAcked(listener);
  client.unsubscribe(listener, "l");
  assert.deepEqual(await client.finish(), []);
});

rule(47, "a request that only gives up is not answered", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a", "b");
  await client.nextAcked(endpoint);
  client.unsubscribe(endpoint, "a");
  client.unsubscribe(endpoint, "b");
  await world.stateIs(endpoint, "NOT_SUBSCRIBED");
  assert.deepEqual(await client.finish(), []);
});

rule(
  48,
  "beside a wildcard, giving up a name is answered with what the wildcard has of it",
  { ...deltaOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(listener, "*", "l", "api");
    await client.nextAcked(listener);
    client.unsubscribe(listener, "l", "api");
    const response = await client.nextAcked(listener);
    assert.deepEqual([contents(response), response.removed], [["l@1"], ["api"]]);
    assert.deepEqual(await client.finish(), []);
  },
);

rule(
  49,
  "without * a name that is subscribed goes on, and the rest stops",
  { ...deltaOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "*", "a");
    await client.nextAcked(cluster);
    client.unsubscribe(cluster, "*");
    client.subscribe(cluster, "a");
    await client.nextAcked(cluster);
    await world.commit({ [cluster]: ["b@2"] });
    await world.settled();
    await world.commit({ [cluster]: ["a@2"] });
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@2"]);
  },
);

rule(
  50,
  "a name that does not exist is remembered: its creation is sent, also after it was told to be missing",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    for (const typeUrl of [endpoint, route]) {
      client.subscribe(typeUrl, "later");
      if (world.variant === "delta") assert.deepEqual((await client.nextAcked(typeUrl)).removed, ["later"]);
      else await world.stateIs(typeUrl, "ACKED");
      await world.commit({ [typeUrl]: ["later@1"] });
      assert.deepEqual(contents(await client.nextAcked(typeUrl)), ["later@1"]);
    }
  },
);

rule(51, "a subscribed name that does not exist is told at once", { ...deltaOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "a", "none");
  const response = await client.nextAcked(endpoint);
  assert.deepEqual([contents(response), response.removed], [["a@1"], ["none"]]);
  client.subscribe(cluster, "none");
  assert.deepEqual((await client.nextAcked(cluster)).removed, ["none"]);
});

rule(52, "a wildcard that has nothing is answered at once", {}, async (world) => {
  const client = world.client();
  client.subscribe(cluster);
  client.subscribe(listener);
  assert.deepEqual(contents(await client.nextAcked(cluster)), []);
  assert.deepEqual(contents(await client.nextAcked(listener)), []);
});

rule(53, "for a missing endpoint or route nothing is made up", { ...sotwOnly, serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(endpoint, "none");
  client.subscribe(route, "none");
  assert.deepEqual(await client.finish(), []);
});

rule(54, "the empty name is a name that does not exist", { serving: mesh }, async (world) => {
  const client = world.client();
  client.subscribe(cluster, "");
  const response = await client.nextAcked(cluster);
  assert.deepEqual(contents(response), []);
  if (world.variant === "delta") assert.deepEqual(response.removed, [""]);
  await world.commit({ [cluster]: ["a@2"] });
  await world.settled();
  assert.deepEqual(await client.finish(), []);
});
