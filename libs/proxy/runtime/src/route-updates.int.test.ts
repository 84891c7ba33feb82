import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { TestProxy } from "./testing/proxy.ts";
import { listener, routes, toCluster } from "./testing/resources.ts";

const counts = (proxy: TestProxy, prefix: string): (number | undefined)[] =>
  ["attempt", "success", "rejected"].map((what) => proxy.runtime.stats().get(`${prefix}.update_${what}`));

test("updates of a route configuration are counted for whoever takes it, each on its own", async () => {
  await using proxy = await TestProxy.start({
    listeners: [listener("a.b", 0, { statPrefix: "in" }), listener("c", 0, { statPrefix: "out" })],
  });
  assert.deepEqual(counts(proxy, "http.in.rds.a.b"), [0, 0, 0]);
  const bad = { ...routes("c"), body: Buffer.from("no message") };
  await proxy.apply({ routes: [routes("a.b", toCluster("*", "x")), bad] });
  await proxy.apply({ routes: [routes("a.b", toCluster("*", "y")), routes("c")] });
  assert.deepEqual(counts(proxy, "http.in.rds.a.b"), [2, 2, 0]);
  assert.deepEqual(counts(proxy, "http.out.rds.c"), [2, 1, 1]);
  await proxy.apply({ listeners: [listener("c", 0, { statPrefix: "out" })] });
  assert.deepEqual(counts(proxy, "http.in.rds.a.b"), [undefined, undefined, undefined]);
});

test("a route configuration that does not come in time is counted", async () => {
  await using proxy = await TestProxy.start({ listeners: [listener("a", 0), listener("b", 0)], routes: [routes("a")] });
  proxy.runtime.giveUpOn(typeUrls.route);
  assert.deepEqual(
    [proxy.stat("http.a.rds.a.init_fetch_timeout"), proxy.stat("http.b.rds.b.init_fetch_timeout")],
    [0, 1],
  );
});
