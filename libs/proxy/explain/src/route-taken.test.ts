import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { type RequestToExplain, routeTaken } from "./route-taken.ts";

const forward = (cluster: string) => ({
  case: "route" as const,
  value: { clusterSpecifier: { case: "cluster" as const, value: cluster } },
});
const prefix = (value: string) => ({ pathSpecifier: { case: "prefix" as const, value } });

function taken(request: Partial<RequestToExplain>, more: MessageInitShape<typeof RouteConfigurationSchema> = {}) {
  const routes = create(RouteConfigurationSchema, {
    name: "outbound",
    ignorePortInHostMatching: true,
    virtualHosts: [
      {
        name: "shop.Reviews",
        domains: ["shop.Reviews"],
        routes: [
          {
            name: "old",
            match: prefix("/old/"),
            action: { case: "redirect", value: { pathRewriteSpecifier: { case: "prefixRewrite", value: "/new/" } } },
          },
          {
            name: "health",
            match: { pathSpecifier: { case: "path", value: "/health" } },
            action: { case: "directResponse", value: { status: 204 } },
          },
          {
            name: "canary",
            match: {
              ...prefix("/"),
              headers: [{ name: "x-canary", headerMatchSpecifier: { case: "presentMatch", value: true } }],
            },
            action: {
              case: "route",
              value: {
                prefixRewrite: "/v2/",
                timeout: { seconds: 3n },
                clusterSpecifier: {
                  case: "weightedClusters",
                  value: {
                    clusters: [
                      { name: "a", weight: 10 },
                      { name: "b", weight: 90 },
                      { name: "c", weight: 0 },
                    ],
                  },
                },
              },
            },
          },
          { name: "default", match: prefix("/api"), action: forward("all") },
        ],
      },
    ],
    ...more,
  });
  return routeTaken(toBinary(RouteConfigurationSchema, routes), {
    method: "GET",
    path: "/",
    authority: "shop.reviews:80",
    headers: [],
    ...request,
  });
}

test("the first route that matches, with its clusters and what is sent on", () => {
  assert.deepEqual(taken({ path: "/a//x/../b?q=1", headers: [["x-canary", "1"]] }), {
    kind: "route",
    virtualHost: "shop.Reviews",
    route: "canary",
    matchedBy: "prefix /",
    action: {
      kind: "forward",
      timeoutMs: 3000,
      clusters: [
        { name: "a", weight: 10 },
        { name: "b", weight: 90 },
      ],
      sent: { authority: "shop.reviews:80", path: "/v2/a/b?q=1" },
    },
  });
  const plain = taken({ path: "/api/x" });
  assert.ok(plain.kind === "route" && plain.route === "default");
});

test("what the proxy answers itself", () => {
  const redirect = taken({ path: "/old/x" });
  assert.ok(redirect.kind === "route");
  assert.deepEqual(redirect.action, { kind: "redirect", status: 301, location: "http://shop.reviews:80/new/x" });
  const direct = taken({ path: "/health" });
  assert.ok(direct.kind === "route");
  assert.deepEqual(direct.action, { kind: "direct", status: 204 });
});

test("routes that configure filters of the listener are explained like others", () => {
  const faults = toBinary(
    HTTPFaultSchema,
    create(HTTPFaultSchema, { abort: { errorType: { case: "httpStatus", value: 503 } } }),
  );
  const typedPerFilterConfig = {
    "envoy.filters.http.fault": {
      typeUrl: `type.googleapis.com/${HTTPFaultSchema.typeName}`,
      value: faults,
    },
  };
  const routes = {
    virtualHosts: [
      { name: "x", domains: ["*"], routes: [{ match: prefix("/"), action: forward("all"), typedPerFilterConfig }] },
    ],
  };
  assert.equal(taken({}, routes).kind, "route");
});

test("a request that no route is for, and one that no proxy takes", () => {
  assert.deepEqual(taken({}), { kind: "none", status: 404, reason: "no route is for it" });
  assert.equal(taken({ authority: "shop.Other", path: "/api" }).kind, "none");
  const broken = taken({ path: "/%zz" });
  assert.ok(broken.kind === "none" && broken.status === 400);
});

test("routes that the proxy would refuse are refused by field", () => {
  const routes = { virtualHosts: [{ name: "x", domains: ["x"], routes: [{ match: prefix("/") }] }] };
  assert.throws(() => taken({}, routes), { code: "FL_XDS_REJECTED", message: /virtual_hosts\[0\]\.routes\[0\]/ });
});
