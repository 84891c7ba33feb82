import assert from "node:assert/strict";
import { test } from "node:test";
import { Backend } from "../testing/backend.ts";
import { call, to } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

test("a request that the proxy gives up after it was sent is counted as reset by it, once; one that was answered is not", async () => {
  await using backend = await Backend.start((request, response) => {
    if (request.url === "/fast") response.end("fast");
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("b", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("b", "b", { timeout: duration(50) }))],
  });
  assert.equal((await call(proxy.port("in"), { ...to("b"), path: "/fast" })).status, 200);
  assert.equal(proxy.stat("cluster.b.upstream_rq_tx_reset"), 0);
  assert.equal((await call(proxy.port("in"), { ...to("b"), path: "/never" })).status, 504);
  assert.deepEqual([proxy.stat("cluster.b.upstream_rq_tx_reset"), proxy.stat("cluster.b.upstream_rq_timeout")], [1, 1]);
});
