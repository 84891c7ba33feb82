import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { MetadataSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { LoggedLines } from "../testing/access-logs.ts";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, listener, routes, type VirtualHostInit } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

/** Each says where it is, and has a value of each kind. */
const metadata = (of: string) => ({
  filterMetadata: { "com.shop": { of, weight: 3, canary: true, owner: { team: `${of}s` } } },
});

type HostInit = Extract<VirtualHostInit, { readonly $typeName?: undefined }>;
type Metadata = MessageInitShape<typeof MetadataSchema>;

function clusterOf(port: number, ofCluster: Metadata, ofHost: Metadata): XdsResource {
  const [locality] = create(ClusterLoadAssignmentSchema, assignmentInit("a", [port])).endpoints;
  const lbEndpoints = (locality?.lbEndpoints ?? []).map((endpoint) => ({
    ...endpoint,
    metadata: create(MetadataSchema, ofHost),
  }));
  return cluster("a", {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: { clusterName: "a", endpoints: [{ lbEndpoints }] },
    metadata: create(MetadataSchema, ofCluster),
  });
}

const world = (port: number, init: Parameters<typeof listener>[2], host: HostInit = {}) => ({
  clusters: [clusterOf(port, metadata("cluster"), metadata("host"))],
  listeners: [listener("in", 0, init)],
  routes: [
    routes("in", {
      name: "*",
      domains: ["*"],
      metadata: metadata("virtualHost"),
      ...host,
      routes: [
        {
          match: { pathSpecifier: { case: "prefix", value: "/" } },
          metadata: metadata("route"),
          action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: "a" } } },
        },
      ],
    }),
  ],
});

const kinds = [
  ["ROUTE", "route"],
  ["VIRTUAL_HOST", "virtualHost"],
  ["CLUSTER", "cluster"],
  ["UPSTREAM_HOST", "host"],
] as const;

test("logs have the metadata of what a request met, in text and in JSON with its types", async () => {
  await using backend = await Backend.named("a");
  await using lines = await LoggedLines.start();
  const text = kinds.map(([kind]) =>
    ["of", "owner:team", "weight", "canary", "owner", "none", "of:none"]
      .map((key) => `%METADATA(${kind}:com.shop:${key})%`)
      .concat(`%METADATA(${kind}:none)%`)
      .join(" "),
  );
  const json = Object.fromEntries(kinds.map(([kind, of]) => [of, `%METADATA(${kind}:com.shop)%`]));
  const accessLog = [lines.text(text.join("|")), lines.json(json)];
  const proxy = await TestProxy.start(world(backend.port, { accessLog }));
  await call(proxy.port("in"));
  await proxy.runtime.close();
  const [first = "", second = ""] = await lines.read();
  assert.deepEqual(
    first.split("|"),
    kinds.map(([, of]) => `${of} ${of}s 3 true {\\x22team\\x22:\\x22${of}s\\x22} - - -`),
  );
  assert.deepEqual(
    JSON.parse(second),
    Object.fromEntries(kinds.map(([, of]) => [of, metadata(of).filterMetadata["com.shop"]])),
  );
});

test("headers have it, too: of the host where there is one by then", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.end(String(request.headers["x-met"]));
  });
  const header = { key: "x-met", value: kinds.map(([kind]) => `%METADATA(${kind}:com.shop:of)%`).join(" ") };
  await using proxy = await TestProxy.start(
    world(backend.port, {}, { requestHeadersToAdd: [{ header }], responseHeadersToAdd: [{ header }] }),
  );
  const { body, headers } = await call(proxy.port("in"));
  assert.equal(body, "route virtualHost cluster");
  assert.equal(headers["x-met"], "route virtualHost cluster host");
});

test("an assignment with other metadata is what the next request is logged with", async () => {
  await using backend = await Backend.named("a");
  await using lines = await LoggedLines.start();
  const accessLog = [lines.text("%METADATA(UPSTREAM_HOST:ns:v)% %METADATA(CLUSTER:ns:v)%")];
  const version = (v: string) => ({ filterMetadata: { ns: { v } } });
  const clusterAt = (host: string, own: string) => clusterOf(backend.port, version(own), version(host));
  const proxy = await TestProxy.start({ ...world(backend.port, { accessLog }), clusters: [clusterAt("1", "1")] });
  await call(proxy.port("in"));
  await proxy.apply({ clusters: [clusterAt("2", "1")] });
  await call(proxy.port("in"));
  await proxy.apply({ clusters: [clusterAt("2", "2")] });
  await call(proxy.port("in"));
  await proxy.runtime.close();
  assert.deepEqual(await lines.read(), ["1 1", "2 1", "2 2"]);
});
