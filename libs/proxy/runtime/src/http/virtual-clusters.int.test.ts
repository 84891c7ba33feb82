import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { VirtualClusterSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { LoggedLines } from "../testing/access-logs.ts";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const virtualCluster = (init: MessageInitShape<typeof VirtualClusterSchema>) => create(VirtualClusterSchema, init);

const exact = (name: string, value: string) => ({
  name,
  headerMatchSpecifier: { case: "stringMatch" as const, value: { matchPattern: { case: "exact" as const, value } } },
});
const path = (regex: string) => ({
  name: ":path",
  headerMatchSpecifier: {
    case: "stringMatch" as const,
    value: { matchPattern: { case: "safeRegex" as const, value: { regex } } },
  },
});

/** The first that matches takes a request. */
const orders = [
  virtualCluster({ name: "one_order", headers: [path("/orders/\\d+"), exact(":method", "GET")] }),
  virtualCluster({ name: "orders", headers: [path("/orders.*")] }),
  virtualCluster({ name: "beta", headers: [exact("x-channel", "beta")] }),
];

test("requests are logged and counted by the virtual cluster that takes them", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    if (request.url === "/orders/slow") return;
    response.writeHead(request.url === "/orders" ? 404 : 200).end();
  });
  await using lines = await LoggedLines.start();
  const retryPolicy = { retryOn: "retriable-4xx,5xx", numRetries: 1 };
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port]), staticCluster("gone", [1])],
    listeners: [listener("in", 0, { accessLog: [lines.text("%REQ(:METHOD)% %REQ(:PATH)% %VIRTUAL_CLUSTER_NAME%")] })],
    routes: [
      routes(
        "in",
        { ...toCluster("shop", "a", { timeout: duration(60) }), virtualClusters: orders },
        { ...toCluster("gone", "gone", { retryPolicy }), virtualClusters: orders },
        toCluster("plain", "a"),
      ),
    ],
  });
  const ask = (method: string, target: string, host = "shop", headers = {}) =>
    call(proxy.port("in"), { method, path: target, headers: { host, ...headers } });
  await ask("GET", "/orders/7");
  await ask("POST", "/orders/7");
  await ask("GET", "/orders");
  await ask("GET", "/", "shop", { "x-channel": "beta" });
  await ask("GET", "/else");
  await ask("GET", "/orders/slow");
  await ask("GET", "/orders/7", "gone");
  await ask("GET", "/orders/7", "plain");
  const counted = [...proxy.runtime.stats()].filter(([name]) => name.startsWith("vhost."));
  await proxy.runtime.close();
  assert.deepEqual(await lines.read(), [
    "GET /orders/7 one_order",
    "POST /orders/7 orders",
    "GET /orders orders",
    "GET / beta",
    "GET /else -",
    "GET /orders/slow orders",
    "GET /orders/7 one_order",
    "GET /orders/7 -",
  ]);
  assert.deepEqual(Object.fromEntries(counted), {
    "vhost.shop.vcluster.one_order.upstream_rq_total": 1,
    "vhost.shop.vcluster.one_order.upstream_rq_200": 1,
    "vhost.shop.vcluster.one_order.upstream_rq_2xx": 1,
    "vhost.shop.vcluster.orders.upstream_rq_total": 3,
    "vhost.shop.vcluster.orders.upstream_rq_200": 1,
    "vhost.shop.vcluster.orders.upstream_rq_2xx": 1,
    "vhost.shop.vcluster.orders.upstream_rq_404": 1,
    "vhost.shop.vcluster.orders.upstream_rq_4xx": 1,
    "vhost.shop.vcluster.orders.upstream_rq_timeout": 1,
    "vhost.shop.vcluster.orders.upstream_rq_504": 1,
    "vhost.shop.vcluster.orders.upstream_rq_5xx": 1,
    "vhost.shop.vcluster.beta.upstream_rq_total": 1,
    "vhost.shop.vcluster.beta.upstream_rq_200": 1,
    "vhost.shop.vcluster.beta.upstream_rq_2xx": 1,
    "vhost.shop.vcluster.other.upstream_rq_total": 1,
    "vhost.shop.vcluster.other.upstream_rq_200": 1,
    "vhost.shop.vcluster.other.upstream_rq_2xx": 1,
    "vhost.gone.vcluster.one_order.upstream_rq_retry": 1,
    "vhost.gone.vcluster.one_order.upstream_rq_503": 1,
    "vhost.gone.vcluster.one_order.upstream_rq_5xx": 1,
  });
});

test("a virtual cluster without a name or a condition is refused", async () => {
  await using proxy = await TestProxy.start({ listeners: [listener("in", 0)], routes: [routes("in")] });
  for (const [init, problem] of [
    [{ headers: [path("/")] }, "name: is empty"],
    [{ name: "all" }, "headers: is empty"],
  ] satisfies [Parameters<typeof virtualCluster>[0], string][]) {
    const host = { ...toCluster("*", "a"), virtualClusters: [virtualCluster(init)] };
    const [refusal] = await proxy.apply({ routes: [routes("in", host)] });
    assert.equal(refusal?.reason, `virtual_hosts[0].virtual_clusters[0].${problem}`);
  }
});
