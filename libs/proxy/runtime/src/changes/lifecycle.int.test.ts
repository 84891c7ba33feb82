import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { plainWorld } from "../testing/plain-world.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

test("clusters are initialized by their endpoints, a listener is active by its routes", async () => {
  await using backend = await Backend.named("a");
  await using proxy = new TestProxy();
  const { runtime } = proxy;
  const wanted: string[] = [];
  runtime.onWantedNamesChanged((typeUrl) =>
    wanted.push(`${typeUrl.split(".").at(-1)} ${runtime.wantedNames(typeUrl)?.join()}`),
  );
  let initialized = 0;
  runtime.onClustersInitialized(() => initialized++);
  assert.equal(runtime.wantedNames(typeUrls.cluster), undefined);

  await proxy.apply({ clusters: [cluster("a"), staticCluster("s", [backend.port])] });
  assert.deepEqual(wanted, ["ClusterLoadAssignment a"]);
  assert.equal(runtime.clustersInitialized(), false);
  await proxy.apply({ endpoints: [endpoints("a", [backend.port])] });
  assert.equal(initialized, 1);

  await proxy.apply({ listeners: [listener("in", 0)] });
  assert.deepEqual(wanted.at(-1), "RouteConfiguration in");
  assert.deepEqual(
    runtime.listeners().map((it) => it.state),
    ["warming"],
  );
  assert.equal(runtime.routeFor("in", "shop"), undefined);
  await proxy.apply({ routes: [routes("in", toCluster("shop", "a"))] });
  assert.deepEqual(
    runtime.listeners().map((it) => it.state),
    ["active"],
  );
  assert.deepEqual(runtime.routeFor("in", "shop:80"), { clusters: ["a"] });
  assert.equal(runtime.routeFor("in", "other"), undefined);
  assert.equal((await call(proxy.port("in"), { headers: { host: "shop" } })).body, "a");
});

test("giving up goes on with what there is", async () => {
  await using proxy = new TestProxy();
  const { runtime } = proxy;
  await proxy.apply({ clusters: [cluster("a")] });
  runtime.giveUpOn(typeUrls.endpoint);
  assert.equal(runtime.clustersInitialized(), true);
  await proxy.apply({ listeners: [listener("in", 0)] });
  const active = new Promise<void>((resolve) => {
    runtime.onListenersChanged(() => {
      if (runtime.listeners()[0]?.state === "active") resolve();
    });
  });
  runtime.giveUpOn(typeUrls.route);
  await active;
  const answer = await call(proxy.port("in"));
  assert.equal(answer.status, 404);
  await proxy.apply({ routes: [routes("in", toCluster("*", "a"))] });
  assert.equal((await call(proxy.port("in"))).body, "no healthy upstream");
});

test("a changed cluster warms behind the one before it", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await TestProxy.start(plainWorld(backend.port));
  // It wants an assignment of another name now; until that comes, the old one serves.
  await proxy.apply({
    clusters: [
      cluster("a", {
        edsClusterConfig: { edsConfig: { configSourceSpecifier: { case: "ads", value: {} } }, serviceName: "b" },
      }),
    ],
  });
  assert.equal((await call(proxy.port("in"))).body, "a");
  await proxy.apply({ endpoints: [endpoints("b", [])] });
  assert.equal((await call(proxy.port("in"))).body, "no healthy upstream");
});

test("what the proxy cannot do is refused by name; the rest of the response is applied, the last good version stays", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const ring = cluster("a", { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED });
  const subset = cluster("c", { lbSubsetConfig: { subsetSelectors: [{ keys: ["a"] }], metadataFallbackPolicy: 1 } });
  const broken = { name: "d", body: new Uint8Array([255, 255]) };
  const rejections = await proxy.apply({ clusters: [ring, staticCluster("b", [backend.port]), subset, broken] });
  assert.deepEqual(rejections.map(({ name, reason }) => [name, reason.split(" is not")[0]]).slice(0, 2), [
    ["a", "lb_policy: CLUSTER_PROVIDED"],
    ["c", "lb_subset_config.metadata_fallback_policy:"],
  ]);
  assert.equal(rejections[2]?.name, "d");
  assert.equal((await call(proxy.port("in"))).body, "a");
  await proxy.apply({ routes: [routes("in", toCluster("*", "b"))] });
  assert.equal((await call(proxy.port("in"))).body, "a");
  assert.equal(proxy.stat("cluster_manager.cds.update_rejected"), 1);

  const regex = routes("in", {
    name: "v",
    domains: ["*"],
    routes: [
      {
        match: { pathSpecifier: { case: "safeRegex", value: { regex: "(?=a)" } } },
        action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: "a" } } },
      },
    ],
  });
  const [bad] = await proxy.apply({ routes: [regex] });
  assert.match(
    bad?.reason ?? "",
    /virtual_hosts\[0\]\.routes\[0\]\.match\.safe_regex: not a regular expression in RE2 syntax/,
  );
  assert.deepEqual(proxy.runtime.routeFor("in", "x"), { clusters: ["b"] });
  assert.equal(JSON.stringify(proxy.runtime.configDump()).includes("RE2"), true);
});

test("a listener that cannot be bound is refused with its address, whether its routes are there or not", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => {
    taken.listen(0, "127.0.0.1", resolve);
  });
  const address = taken.address();
  assert(address !== null && typeof address !== "string");
  await using proxy = new TestProxy();
  const early = await proxy.apply({ listeners: [listener("in", address.port)] });
  const reason = `address: cannot bind 127.0.0.1:${address.port}: EADDRINUSE`;
  assert.deepEqual(early, [{ name: "in", reason }]);
  await new Promise((resolve) => taken.close(resolve));
  assert.deepEqual(await proxy.apply({ listeners: [listener("in", address.port)], routes: [routes("in")] }), []);
  assert.equal(proxy.port("in"), address.port);
});
