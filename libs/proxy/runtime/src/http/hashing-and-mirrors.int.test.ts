import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import {
  cluster,
  endpoints,
  listener,
  type RouteActionInit,
  routes,
  staticCluster,
  toCluster,
} from "../testing/resources.ts";

test("after a hash policy that is terminal, and found something, the next ones are not asked", async () => {
  await using a = await Backend.named("a");
  await using b = await Backend.named("b");
  await using c = await Backend.named("c");
  const header = (headerName: string, terminal: boolean) => ({
    policySpecifier: { case: "header" as const, value: { headerName } },
    terminal,
  });
  const hostsFor = async (terminal: boolean, user: string | undefined): Promise<number> => {
    const hashPolicy = [header("x-user", terminal), header("x-page", false)];
    await using proxy = await TestProxy.start({
      clusters: [cluster("a", { lbPolicy: Cluster_LbPolicy.RING_HASH })],
      endpoints: [endpoints("a", [a.port, b.port, c.port])],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a", { hashPolicy }))],
    });
    const seen = new Set<string>();
    for (let page = 0; page < 40; page++) {
      const headers = { ...(user === undefined ? {} : { "x-user": user }), "x-page": String(page) };
      seen.add((await call(proxy.port("in"), { headers })).body);
    }
    return seen.size;
  };
  assert.equal(await hostsFor(true, "u"), 1);
  assert.equal(await hostsFor(false, "u"), 3);
  // It found nothing.
  assert.equal(await hostsFor(true, undefined), 3);
});

test("a copy is for the host with -shadow behind its name, or for the same", async () => {
  await using a = await Backend.named("a");
  const copied: (string | undefined)[] = [];
  await using copies = await Backend.start((request, response) => {
    request.resume();
    copied.push(request.headers.host);
    response.end();
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [a.port]), staticCluster("copies", [copies.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in")],
  });
  for (const [mirror, host, expected] of [
    [{}, "shop", "shop-shadow"],
    [{}, "shop:81", "shop-shadow:81"],
    [{ disableShadowHostSuffixAppend: false }, "shop", "shop-shadow"],
    [{ disableShadowHostSuffixAppend: true }, "shop", "shop"],
    [{ disableShadowHostSuffixAppend: true }, "shop:81", "shop:81"],
  ] as const) {
    const action: RouteActionInit = { requestMirrorPolicies: [{ cluster: "copies", ...mirror }] };
    assert.deepEqual(await proxy.apply({ routes: [routes("in", toCluster("*", "a", action))] }), []);
    assert.equal((await call(proxy.port("in"), { headers: { host } })).body, "a");
    await until("the copy", () => copied.length > 0);
    assert.deepEqual(copied.splice(0), [expected]);
  }
});
