import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { test } from "node:test";
import { create, type DescMessage, fromJson, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack, StructSchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { ProxyRuntime } from "@fairlead/proxy-runtime";
import { tenantFilterType } from "./index.ts";

function config(json: { readonly allowed: readonly string[] }): Any {
  return create(AnySchema, {
    typeUrl: tenantFilterType,
    value: toBinary(StructSchema, fromJson(StructSchema, { allowed: [...json.allowed] })),
  });
}

function resource<Desc extends DescMessage>(schema: Desc, name: string, init: MessageInitShape<Desc>) {
  return { name, body: toBinary(schema, create(schema, init)) };
}

const typed = (name: string, value: Any) => ({ name, configType: { case: "typedConfig" as const, value } });
const at = (port: number) => ({
  address: {
    case: "socketAddress" as const,
    value: { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value: port } },
  },
});

function status(port: number, host: string, tenant: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", agent: false, headers: { host, "x-tenant": tenant } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

test("requests of tenants that the listener or the route does not know are refused", async () => {
  const app = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => {
    app.listen(0, "127.0.0.1", resolve);
  });
  const address = app.address();
  assert(address !== null && typeof address !== "string");
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const runtime = new ProxyRuntime({ logger: silent, nodeId: "example" });
  const toApp = { case: "route" as const, value: { clusterSpecifier: { case: "cluster" as const, value: "app" } } };
  const routes = [{ match: { pathSpecifier: { case: "prefix" as const, value: "/" } }, action: toApp }];
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: "in",
    routeSpecifier: {
      case: "routeConfig",
      value: {
        name: "in",
        virtualHosts: [
          { name: "shop", domains: ["shop"], routes },
          { name: "lab", domains: ["lab"], routes, typedPerFilterConfig: { tenants: config({ allowed: ["tester"] }) } },
        ],
      },
    },
    httpFilters: [
      typed("tenants", config({ allowed: ["a", "b"] })),
      typed("router", anyPack(RouterSchema, create(RouterSchema))),
    ],
  });
  const lbEndpoints = [{ hostIdentifier: { case: "endpoint" as const, value: { address: at(address.port) } } }];
  await runtime.apply(typeUrls.cluster, [
    resource(ClusterSchema, "app", {
      name: "app",
      loadAssignment: { clusterName: "app", endpoints: [{ lbEndpoints }] },
    }),
  ]);
  const rejections = await runtime.apply(typeUrls.listener, [
    resource(ListenerSchema, "in", {
      name: "in",
      address: at(0),
      filterChains: [{ filters: [typed("hcm", anyPack(HttpConnectionManagerSchema, manager))] }],
    }),
  ]);
  assert.deepEqual(rejections, []);
  const port = runtime.listeners()[0]?.port ?? 0;
  assert.deepEqual(
    [
      await status(port, "shop", "a"),
      await status(port, "shop", "tester"),
      await status(port, "lab", "tester"),
      await status(port, "lab", "a"),
    ],
    [200, 403, 200, 403],
  );
  assert.equal(runtime.stats().get("http.in.tenant.refused"), 2);
  await runtime.close();
  app.closeAllConnections();
  app.close();
});
