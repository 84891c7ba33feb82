import assert from "node:assert/strict";
import { openUnreadStream } from "@fairlead/testing-xds";
import { adsOnly, cluster, contents, deltaOnly, endpoint, rule, sotwOnly } from "./rule-under-test.ts";

const mesh = { [cluster]: ["a@1"], [endpoint]: ["a@1"] };
const features = ["xds.config.resource-in-sotw", "xds.config.supports-resource-ttl"];

rule(
  68,
  "resources are never wrapped in SotW, and never have a ttl, whatever the client says it supports",
  { serving: mesh },
  async (world) => {
    const client = world.client();
    client.change(cluster, {}, { node: { id: "test-node", clientFeatures: features } });
    const [resource] = (await client.nextAcked(cluster)).resources;
    assert.equal(resource!.typeUrl, cluster);
    assert.equal(Buffer.from(resource!.body).toString(), "a@1");
    assert.equal(resource!.hasTtl, false);
  },
);

rule(
  69,
  "there are no heartbeats: without a change nothing is sent",
  { serving: mesh, gateway: { config: { ackTimeout: 50 } } },
  async (world) => {
    const client = world.client();
    client.change(cluster, {}, { node: { id: "test-node", clientFeatures: features } });
    await client.nextAcked(cluster);
    await world.settled();
    await world.commit({ [endpoint]: ["b@1"] });
    await world.settled();
    assert.deepEqual(await client.finish(), []);
  },
);

rule(
  70,
  "there are no aliases: a resource has its one name, and another one does not exist",
  { ...deltaOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, "a", "alias-of-a");
    const response = await client.nextAcked(cluster);
    assert.deepEqual([contents(response), response.removed], [["a@1"], ["alias-of-a"]]);
    assert.deepEqual(response.resources[0]!.aliases, []);
    client.unsubscribe(cluster, "alias-of-a");
    await world.commit({ [cluster]: ["a@2"] });
    assert.deepEqual(contents(await client.nextAcked(cluster)), ["a@2"]);
  },
);

const folder = "xdstp://fairlead/envoy.config.cluster.v3.Cluster/shop";

rule(
  71,
  "context parameters of an xdstp name may come in any order, and are in the answer",
  { serving: { [cluster]: [`${folder}/a?x=1&y=2@1`] } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, `${folder}/a?y=2&x=1`);
    const response = await client.nextAcked(cluster);
    assert.deepEqual(contents(response), [`${folder}/a?x=1&y=2@1`]);
    if (world.variant === "delta") assert.equal(response.resources[0]!.name, `${folder}/a?x=1&y=2`);
  },
);

rule(
  71,
  "a glob gets its members by their own names; one without members is told to be gone",
  { ...deltaOnly, serving: { [cluster]: [`${folder}/a@1`, "other@1"] } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, `${folder}/*`);
    const response = await client.nextAcked(cluster);
    assert.deepEqual(
      response.resources.map((resource) => resource.name),
      [`${folder}/a`],
    );
    await world.commit({ [cluster]: [`${folder}/b@1`, "other@2"] });
    assert.deepEqual(contents(await client.nextAcked(cluster)), [`${folder}/b@1`]);
    client.subscribe(cluster, "xdstp://fairlead/none/*");
    assert.deepEqual((await client.nextAcked(cluster)).removed, ["xdstp://fairlead/none/*"]);
  },
);

rule(
  72,
  "resource locators and directives are ignored",
  { serving: { [cluster]: [`${folder}/a@1`] } },
  async (world) => {
    const client = world.client();
    client.subscribe(cluster, `${folder}/a#alt=xdstp://elsewhere/x,entry=y`);
    assert.deepEqual(contents(await client.nextAcked(cluster)), [`${folder}/a@1`]);
    // Field 7 of both requests, resource_locators: newer than the protos that the gateway reads.
    const locators = Buffer.from([0x3a, 0x02, 0x0a, 0x00]);
    const other = world.client();
    other.subscribe(cluster, "*");
    await other.nextAcked(cluster);
    other.sendBytes(cluster, locators);
    if (world.service === "single") assert.deepEqual(await other.finish(), []);
    else
      assert.match(
        (await other.ended(cluster)).details,
        /FL_XDS_TYPE_MISSING/,
        "no more than a request without a type",
      );
  },
);

rule(
  73,
  "a name that does not exist is told with NOT_FOUND, once, apart from the resources",
  { ...deltaOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a", "none");
    const response = await client.nextAcked(endpoint);
    assert.deepEqual([contents(response), response.removed, response.errors], [["a@1"], ["none"], ["none: 5"]]);
    await world.commit({ [endpoint]: ["a@2"] });
    assert.deepEqual((await client.nextAcked(endpoint)).errors, []);
  },
);

rule(
  73,
  "SotW says nothing of names that do not exist: clients of all ages have a timer for it",
  { ...sotwOnly, serving: mesh },
  async (world) => {
    const client = world.client();
    client.subscribe(endpoint, "a", "none");
    const response = await client.nextAcked(endpoint);
    assert.deepEqual([contents(response), response.errors], [["a@1"], []]);
  },
);

const large = (version: number) => `large@${version}${"x".repeat(1024 * 1024)}`;

rule(
  74,
  "one who does not read is written to no further, and delays nobody",
  {
    ...adsOnly,
    ...sotwOnly,
    serving: { [cluster]: [large(1)] },
    gateway: { config: { sendTimeout: 400, ackTimeout: 50 } },
  },
  async (world) => {
    const stuck = openUnreadStream(world.mesh.address, { typeUrl: cluster, node: { id: "stuck" } });
    world.mesh.closeOnStop(stuck);
    await world.mesh.statusWhere((one) => one.connected === 1);
    const quick = world.client({ nodeId: "quick" });
    quick.subscribe(cluster);
    await quick.nextAcked(cluster);
    for (let version = 2; version < 5; version++) {
      await world.commit({ [cluster]: [large(version)] });
      await quick.nextAcked(cluster);
    }
    await stuck.cut;
  },
);

const many = Array.from({ length: 5 }, (_, index) => `e${index}`);

rule(
  74,
  "responses stay below the 4 MiB that gRPC clients take",
  { serving: { [endpoint]: many.map((name) => `${name}@${"x".repeat(1024 * 1024)}`) } },
  async (world) => {
    const client = world.client();
    client.change(endpoint, { subscribe: many });
    const names: string[] = [];
    while (names.length < many.length) {
      const response = await client.nextAcked(endpoint);
      let bytes = 0;
      for (const { body } of response.resources) bytes += body.byteLength;
      assert.ok(bytes < 4 * 1024 * 1024, `${bytes} bytes`);
      names.push(...contents(response).map((text) => text.split("@")[0]!));
    }
    assert.deepEqual(names.sort(), many);
  },
);
