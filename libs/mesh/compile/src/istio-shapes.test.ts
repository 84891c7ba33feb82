import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { meshOf, routesTo, viewOf } from "./testing/mesh-under-test.ts";

const text = (name: string) => readFileSync(join(import.meta.dirname, "testing/istio-shapes", name), "utf8");
const edge = { id: "edge", labels: { istio: "ingressgateway" } };
const app = { id: "app", inboundPort: 15006, outboundPort: 15001 };

test("the policies of a first mesh apply as they are: services by plain name, a gateway, canaries, faults", () => {
  const mesh = meshOf({
    nodes: [edge, app],
    services: ["productpage", "details", "reviews", "ratings"],
    policies: text("bookinfo.yaml"),
  });
  assert.deepEqual(mesh.rejected, []);
  assert.partialDeepStrictEqual(routesTo(mesh, "reviews", "app")!, [
    { match: { headers: [{ name: "end-user" }] }, route: { cluster: "outbound|http|v2|reviews" } },
    {
      route: {
        timeout: "0.500s",
        weightedClusters: { clusters: [{ weight: 50 }, { name: "outbound|http|v3|reviews" }] },
      },
    },
  ]);
  assert.ok(viewOf(mesh, "edge").has("lds/edge/gateway|8080"));
  assert.ok(viewOf(mesh, "edge").has("eds/outbound|http||productpage"));
});

test("those of the common tasks too: egress, TLS origination, circuit breaking, mirroring, TCP and TLS at the edge", () => {
  const mesh = meshOf({
    nodes: [edge, app],
    services: ["httpbin", "tcp/tcp-echo", "tcp/my-nginx"],
    policies: text("tasks.yaml"),
  });
  assert.deepEqual(mesh.rejected, []);
  assert.partialDeepStrictEqual(routesTo(mesh, "httpbin.org", "app")!, [{ route: { timeout: "3s" } }]);
  const view = viewOf(mesh, "edge");
  for (const key of ["lds/edge/gateway|31400", "lds/edge/gateway|443", "eds/outbound|tcp||my-nginx"])
    assert.ok(view.has(key), key);
});
