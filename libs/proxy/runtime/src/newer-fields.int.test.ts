import assert from "node:assert/strict";
import { test } from "node:test";
import { Backend } from "./testing/backend.ts";
import { call } from "./testing/client.ts";
import { ProxyInThreads } from "./testing/proxy-in-threads.ts";
import { TestProxy } from "./testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "./testing/resources.ts";
import type { XdsResource } from "./xds-resource.ts";

/** With field 8000, a varint, that no message of ours has. */
const newer = ({ name, body }: XdsResource): XdsResource => ({
  name,
  body: Buffer.concat([body, Buffer.from([0x80, 0xf4, 0x03, 1])]),
});

function world(port: number) {
  return {
    clusters: [newer(cluster("a"))],
    endpoints: [newer(endpoints("a", [port]))],
    listeners: [newer(listener("in", 0))],
    routes: [newer(routes("in", toCluster("*", "a")))],
  };
}

test("a resource with a field that is newer than the proxy is refused, and the field is named by its number", async () => {
  await using proxy = new TestProxy();
  const [refused] = await proxy.apply({ clusters: [newer(cluster("a"))] });
  assert.match(refused?.reason ?? "", /^field 8000 of envoy\.config\.cluster\.v3\.Cluster: is newer than this proxy/);
  assert.equal(proxy.stat("server.dynamic_unknown_fields"), 0);
});

test("where they are ignored the rest is done, each is counted and logged once", async () => {
  await using backend = await Backend.named("app");
  const told: unknown[] = [];
  const warn = (facts: object, message: string): void => {
    if (message.includes("newer than this proxy")) told.push(facts);
  };
  const logger = { debug() {}, info() {}, error() {}, warn };
  await using proxy = await TestProxy.start(world(backend.port), { unknownFields: "ignore", logger });
  assert.equal((await call(proxy.port("in"))).body, "app");
  assert.equal(proxy.stat("server.dynamic_unknown_fields"), 4);
  assert.deepEqual(told[0], { field: "field 8000 of envoy.config.cluster.v3.Cluster", resource: "a" });
  assert.equal(told.length, 4);
  await proxy.apply({ clusters: [newer(cluster("a")), newer(cluster("b"))] });
  assert.equal(proxy.stat("server.dynamic_unknown_fields"), 5);
  assert.equal(told.length, 4);
});

test("several threads ignore the same, and one of them counts", async () => {
  await using backend = await Backend.named("app");
  await using proxy = await ProxyInThreads.start(world(backend.port), { unknownFields: "ignore" });
  assert.equal((await call(proxy.port("in"))).body, "app");
  assert.equal(proxy.dataPlane.stats().get("server.dynamic_unknown_fields"), 4);
});
