import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { assignment, cluster, hostAt, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

function inZones(name: string, zones: Readonly<Record<string, number>>): XdsResource {
  const localities = Object.entries(zones).map(([zone, port]) => ({
    locality: { region: "eu", zone },
    lbEndpoints: [hostAt(port)],
  }));
  return assignment(name, localities);
}

test("all threads keep requests in the proxy's zone, while its hosts suffice for those who call from there", async () => {
  await using near = await Backend.named("near");
  await using far = await Backend.named("far");
  const localityConfigSpecifier = { case: "zoneAwareLbConfig", value: { minClusterSize: 2n } } as const;
  await using proxy = await ProxyInThreads.start(
    {
      clusters: [cluster("callers"), cluster("a", { commonLbConfig: { localityConfigSpecifier } })],
      endpoints: [inZones("callers", { a: 1, b: 2 }), inZones("a", { b: far.port, a: near.port })],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    },
    { zone: { locality: "eu/a/", cluster: "callers" } },
  );
  const bodies = async (): Promise<Set<string>> => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false })));
    return new Set(answers.map(({ body }) => body));
  };
  assert.deepEqual(await bodies(), new Set(["near"]));
  assert.equal(proxy.stat("cluster.a.lb_zone_routing_all_directly"), 20);
  await proxy.apply({ endpoints: [inZones("callers", { a: 1 }), inZones("a", { b: far.port, a: near.port })] });
  const seen = new Set<string>();
  while (seen.size < 2) for (const body of await bodies()) seen.add(body);
  await until("requests to another zone", () => proxy.stat("cluster.a.lb_zone_routing_cross_zone") > 0);
});
