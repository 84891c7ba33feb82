import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { Cluster_DiscoveryType, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { UpstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";
import { prometheusText } from "./prometheus-stats.ts";
import { statsOf } from "./server-stats.ts";
import { taggedStat } from "./stat-tags.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** What users name may have dots, and look like what a proxy names. */
const NAME = "Users.http2.Name";

function packed<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>) {
  const typedConfig: Any = anyPack(schema, create(schema, init));
  return { name: NAME, configType: { case: "typedConfig" as const, value: typedConfig } };
}

function resource<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>) {
  return { name: NAME, body: toBinary(schema, create(schema, init)) };
}

const socketAddress = { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value: 0 } };
const listenerWith = (name: string, filter: ReturnType<typeof packed>) => ({
  ...resource(ListenerSchema, {
    name,
    address: { address: { case: "socketAddress", value: socketAddress } },
    filterChains: [{ filters: [filter] }],
  }),
  name,
});

async function startProxy(): Promise<ProxyRuntime> {
  const runtime = new ProxyRuntime({ logger: silent, nodeId: "test" });
  const context = packed(UpstreamTlsContextSchema, { commonTlsContext: {} });
  const manager = packed(HttpConnectionManagerSchema, {
    statPrefix: NAME,
    routeSpecifier: { case: "routeConfig", value: create(RouteConfigurationSchema, { name: NAME }) },
    httpFilters: [packed(RouterSchema, {})],
  });
  const waiting = packed(HttpConnectionManagerSchema, {
    statPrefix: NAME,
    routeSpecifier: {
      case: "rds",
      value: { routeConfigName: NAME, configSource: { configSourceSpecifier: { case: "ads", value: {} } } },
    },
    httpFilters: [packed(RouterSchema, {})],
  });
  const bytes = packed(TcpProxySchema, { statPrefix: NAME, clusterSpecifier: { case: "cluster", value: NAME } });
  const rejections = [
    ...(await runtime.apply(typeUrls.cluster, [
      resource(ClusterSchema, {
        name: NAME,
        clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
        loadAssignment: { clusterName: NAME },
        connectTimeout: { seconds: 1n },
        transportSocket: context,
        circuitBreakers: { thresholds: [{ trackRemaining: true }] },
      }),
    ])),
    ...(await runtime.apply(typeUrls.listener, [
      listenerWith("web", manager),
      listenerWith("waiting", waiting),
      listenerWith("bytes", bytes),
    ])),
  ];
  if (rejections.length > 0) await runtime.close();
  assert.deepEqual(rejections, []);
  return runtime;
}

const type = { version: "1", requests: 1, accepted: 1, rejected: 0, failures: 0, initialFetchTimeouts: 0 } as const;
const ads = { connected: true, types: ["cds", "eds", "lds", "rds"].map((name) => ({ ...type, type: name })) };

test("every statistic of a proxy is in a family of Prometheus that no name of a user is part of", async (t) => {
  const runtime = await startProxy();
  t.after(() => runtime.close());
  const stats = statsOf({ state: "LIVE", uptimeMs: 0 }, ads as unknown as AdsState, runtime);
  for (const root of ["cluster", "http", "tcp", "listener", "server", "http2", "overload"])
    assert.ok(root === "overload" || [...stats.keys()].some((name) => name.startsWith(`${root}.`)), root);
  for (const name of stats.keys()) {
    const { family, tags } = taggedStat(name);
    assert.doesNotMatch(family, /Users|127/, name);
    const users = tags.filter(([label]) => /cluster_name|conn_manager|tcp_prefix|route_config/.test(label));
    assert.deepEqual(
      users.map(([, value]) => value),
      Array.from({ length: name.split(NAME).length - 1 }, () => NAME),
      name,
    );
  }
  const seen = new Set<string>();
  for (const line of prometheusText({ numbers: stats, histograms: new Map() }).trimEnd().split("\n")) {
    assert.match(line, /^(?:# TYPE envoy_\w+ (?:counter|gauge)|envoy_\w+(?:\{(?:\w+="[^"]*",?)+\})? -?[\d.e+-]+)$/);
    const series = line.replace(/ \S+$/, "");
    assert.ok(!seen.has(series), `twice: ${series}`);
    seen.add(series);
  }
});
