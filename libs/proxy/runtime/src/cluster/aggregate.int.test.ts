import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterConfigSchema } from "@fairlead/envoy-api/envoy/extensions/clusters/aggregate/v3/cluster_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

function aggregate(name: string, ...clusters: string[]): XdsResource {
  const typedConfig = anyPack(ClusterConfigSchema, create(ClusterConfigSchema, { clusters }));
  return cluster(name, {
    clusterDiscoveryType: { case: "clusterType", value: { name: "envoy.clusters.aggregate", typedConfig } },
    edsClusterConfig: undefined,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  });
}

test("requests go to the first cluster that has hosts, and to the next when they have gone", async () => {
  await using near = await Backend.named("near");
  await using far = await Backend.named("far");
  await using proxy = await TestProxy.start({
    clusters: [cluster("near"), cluster("far"), aggregate("all", "near", "far", "missing")],
    endpoints: [endpoints("near", [near.port]), endpoints("far", [far.port])],
    listeners: [listener("out", 0)],
    routes: [routes("out", toCluster("*", "all"))],
  });
  const body = async (): Promise<string> => (await call(proxy.port("out"))).body;
  for (let i = 0; i < 5; i++) assert.equal(await body(), "near");
  await proxy.apply({ endpoints: [endpoints("near", []), endpoints("far", [far.port])] });
  for (let i = 0; i < 5; i++) assert.equal(await body(), "far");
  assert.equal(proxy.stat("cluster.all.upstream_rq_2xx"), 10);
});

test("clusters that aggregate each other have no host, and one that has itself is refused", async () => {
  await using proxy = await TestProxy.start({
    clusters: [aggregate("a", "b"), aggregate("b", "a")],
    listeners: [listener("out", 0)],
    routes: [routes("out", toCluster("*", "a"))],
  });
  assert.equal((await call(proxy.port("out"))).status, 503);
  const [rejection] = await proxy.apply({ clusters: [aggregate("a", "a")] });
  assert.match(rejection?.reason ?? "", /cluster_type\.typed_config\.clusters: has the cluster itself/);
});
