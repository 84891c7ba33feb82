import assert from "node:assert/strict";
import { test } from "node:test";
import { type MessageInitShape } from "@bufbuild/protobuf";
import {
  Cluster_DiscoveryType,
  Cluster_LbSubsetConfig_LbSubsetFallbackPolicy as Fallback,
  type Cluster_LbSubsetConfigSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, listener, type RouteActionInit, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

const wants = (values: Record<string, string>) => ({ filterMetadata: { "envoy.lb": values } });

function divided(
  ports: readonly number[],
  versions: readonly string[],
  config: MessageInitShape<typeof Cluster_LbSubsetConfigSchema>,
): XdsResource {
  const init = assignmentInit("app", ports);
  for (const locality of init.endpoints ?? [])
    for (const [i, endpoint] of (locality.lbEndpoints ?? []).entries())
      endpoint.metadata = wants({ version: versions[i] ?? "" }) as never;
  return cluster("app", {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: init,
    lbSubsetConfig: config,
  });
}

test("routes and weighted clusters choose a subset by metadata_match, the more specific over the other", async () => {
  await using one = await Backend.named("one");
  await using two = await Backend.named("two");
  const weighted: RouteActionInit = {
    clusterSpecifier: {
      case: "weightedClusters",
      value: { clusters: [{ name: "app", weight: 1, metadataMatch: wants({ version: "v2" }) }] },
    },
  };
  const app = divided([one.port, two.port], ["v1", "v2"], {
    fallbackPolicy: Fallback.NO_FALLBACK,
    subsetSelectors: [{ keys: ["version"] }],
  });
  await using proxy = await TestProxy.start({
    clusters: [app],
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        toCluster("v1", "app", { metadataMatch: wants({ version: "v1" }) }),
        toCluster("weighted", "app", { metadataMatch: wants({ version: "v1" }), ...weighted }),
        toCluster("v3", "app", { metadataMatch: wants({ version: "v3" }) }),
      ),
    ],
  });
  const port = proxy.port("in");
  for (let i = 0; i < 4; i++) {
    assert.equal((await call(port, { headers: { host: "v1" } })).body, "one");
    assert.equal((await call(port, { headers: { host: "weighted" } })).body, "two");
  }
  assert.equal((await call(port, { headers: { host: "v3" } })).status, 503);
  assert.equal(proxy.stat("cluster.app.lb_subsets_active"), 2);
  assert.equal(proxy.stat("cluster.app.lb_subsets_selected"), 8);
});

test("a selector without keys is refused by name", async () => {
  const proxy = new TestProxy();
  await using _ = proxy;
  const [rejection] = await proxy.apply({ clusters: [divided([1], ["v1"], { subsetSelectors: [{ keys: [] }] })] });
  assert.match(rejection?.reason ?? "", /lb_subset_config\.subset_selectors\[0\]\.keys: is empty/);
});
