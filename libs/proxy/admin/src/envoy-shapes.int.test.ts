import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  createRegistry,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { CertificatesSchema } from "@fairlead/envoy-api/envoy/admin/v3/certs_pb.js";
import { ClustersSchema } from "@fairlead/envoy-api/envoy/admin/v3/clusters_pb.js";
import {
  ConfigDumpSchema,
  file_envoy_admin_v3_config_dump,
} from "@fairlead/envoy-api/envoy/admin/v3/config_dump_pb.js";
import {
  ClientResourceStatus,
  ClustersConfigDumpSchema,
  file_envoy_admin_v3_config_dump_shared,
} from "@fairlead/envoy-api/envoy/admin/v3/config_dump_shared_pb.js";
import { ListenersSchema } from "@fairlead/envoy-api/envoy/admin/v3/listeners_pb.js";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { browserRefusal, errorAnswer } from "@fairlead/http-api";
import { createLogger } from "@fairlead/logging";
import type { XdsResource } from "@fairlead/proxy-runtime";
import { Certificates } from "@fairlead/proxy-runtime/testing/certificates";
import { TestProxy } from "@fairlead/proxy-runtime/testing/proxy";
import {
  cluster,
  endpoints,
  listener,
  routes,
  staticCluster,
  toCluster,
} from "@fairlead/proxy-runtime/testing/resources";
import { certificateSecret, overAds, secureListener } from "@fairlead/proxy-runtime/testing/secrets";
import type { AdsState, AdsTypeState } from "@fairlead/proxy-xds-client";
import { AdminServer } from "./admin-server.ts";
import { proxyPages } from "./proxy-pages.ts";

const registry = createRegistry(
  file_envoy_admin_v3_config_dump,
  file_envoy_admin_v3_config_dump_shared,
  ClusterSchema,
  ClusterLoadAssignmentSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  SecretSchema,
  HttpConnectionManagerSchema,
  RouterSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
);
/** Refused: it has a field that the proxy does nothing with. */
const bad = (name: string): XdsResource => cluster(name, { connectionPoolPerDownstreamConnection: true });
const AT_MS = Date.parse("2026-01-02T03:04:05.000Z");
const type = (name: string, changes: Partial<AdsTypeState> = {}): AdsTypeState => ({
  type: name,
  names: undefined,
  version: `${name}-7`,
  nonce: "n",
  updatedAtMs: AT_MS,
  requests: 1,
  accepted: 1,
  rejected: 0,
  failures: 0,
  initialFetchTimeouts: 0,
  lastNack: undefined,
  ...changes,
});
const ads: AdsState = {
  connected: true,
  address: "127.0.0.1:15010",
  lastConnectedAtMs: 1,
  lastError: undefined,
  phase: "initialized",
  types: [
    type("cds", { lastNack: { version: "cds-8", reason: "bad: …", atMs: AT_MS + 1000 } }),
    ...["eds", "sds", "lds", "rds"].map((name) => type(name)),
  ],
};
const certificates = new Certificates();
const issued = certificates.issue("server", "DNS:app.example,URI:spiffe://mesh/app");
let proxy: TestProxy;
let server: AdminServer;
let base: string;

before(async () => {
  proxy = new TestProxy();
  const refused = await proxy.apply({
    clusters: [staticCluster("a", [1]), cluster("b"), bad("bad")],
    endpoints: [endpoints("b", [2])],
    listeners: [secureListener("in", { tlsCertificateSdsSecretConfigs: [overAds("server")] }), listener("late", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  assert.deepEqual(
    refused.map(({ name }) => name),
    ["bad"],
  );
  await proxy.apply({ secrets: [certificateSecret("server", issued)] });
  const logger = createLogger({ service: "test", level: "silent" });
  server = new AdminServer(
    proxyPages({
      program: "sidecar",
      node: { id: "sidecar~1", app: "shop", labels: { zone: "a" } },
      version: "1.2.3",
      runtime: proxy.runtime,
      ads: () => ads,
      state: () => "LIVE",
      waitingFor: () => [],
      logger,
      serveMetrics: (_request, response) => response.end(),
      drain: () => undefined,
      failHealthCheck: () => undefined,
      quit: () => undefined,
    }),
    { refusalOf: browserRefusal, answerOf: errorAnswer, onFailure: (error) => assert.fail(error) },
  );
  base = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
});
after(async () => {
  await server.close();
  await proxy[Symbol.asyncDispose]();
  certificates[Symbol.dispose]();
});

const text = async (path: string): Promise<string> => await (await fetch(`${base}${path}`)).text();

/** Reads a page as one of Envoy's messages, in which nothing may be unknown, and expects that nothing of it is lost. */
async function read<Desc extends DescMessage>(schema: Desc, path: string): Promise<MessageShape<Desc>> {
  const json = JSON.parse(await text(path)) as JsonValue;
  const message = fromJson(schema, json, { registry });
  const again = toJson(schema, message, { registry, useProtoFieldName: true, alwaysEmitImplicit: false });
  assert.deepEqual(withoutDefaults(again), withoutDefaults(json));
  return message;
}

/** What Envoy leaves out, and what says the same: `2026-01-01T00:00:00Z` and `2026-01-01T00:00:00.000Z`. */
function withoutDefaults(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(withoutDefaults);
  if (typeof json === "string") return json.replace(/\.000Z$/, "Z");
  if (json === null || typeof json !== "object") return json;
  const kept = Object.entries(json).filter(
    ([, value]) =>
      ![0, "0", "", false, "COUNTER"].includes(value as never) && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutDefaults(value)]));
}

const names = (configs: readonly { readonly typeUrl: string }[]): string[] =>
  configs.map(({ typeUrl }) => typeUrl.replace("type.googleapis.com/envoy.admin.v3.", ""));

test("/config_dump is Envoy's ConfigDump: what is in force, what warms, and what was refused", async () => {
  const dump = await read(ConfigDumpSchema, "/config_dump");
  assert.deepEqual(names(dump.configs), [
    "BootstrapConfigDump",
    "ClustersConfigDump",
    "ListenersConfigDump",
    "RoutesConfigDump",
    "SecretsConfigDump",
  ]);
  const clusters = anyUnpack(dump.configs[1]!, ClustersConfigDumpSchema)!;
  assert.equal(clusters.versionInfo, "cds-7");
  const clusterNames = (list: typeof clusters.dynamicActiveClusters) =>
    list.map((it) => anyUnpack(it.cluster!, ClusterSchema)!.name);
  assert.deepEqual(clusterNames(clusters.dynamicActiveClusters), ["a", "b"]);
  assert.equal(clusters.dynamicActiveClusters[0]?.clientStatus, ClientResourceStatus.ACKED);
  assert.equal(clusters.dynamicActiveClusters[0].lastUpdated?.seconds, BigInt(AT_MS / 1000));
  assert.deepEqual(clusterNames(clusters.dynamicWarmingClusters), ["bad"]);
  const [refused] = clusters.dynamicWarmingClusters;
  assert.equal(refused?.clientStatus, ClientResourceStatus.NACKED);
  assert.match(refused.errorState?.details ?? "", /connection_pool_per_downstream_connection/);
  assert.equal(refused.errorState?.versionInfo, "cds-8");
  const json: { configs: readonly Record<string, unknown>[] } = JSON.parse(await text("/config_dump"));
  assert.partialDeepStrictEqual(json.configs[2]?.["dynamic_listeners"], [
    { name: "in", active_state: { version_info: "lds-7", listener: { "@type": typeUrls.listener, name: "in" } } },
    { name: "late", warming_state: { listener: { "@type": typeUrls.listener, name: "late" } }, client_status: "ACKED" },
  ]);
});

test("a version of which a newer one was refused is in force, with the refusal beside it", async (t) => {
  await proxy.apply({ clusters: [staticCluster("a", [1]), bad("b")] });
  t.after(async () => {
    await proxy.apply({ clusters: [staticCluster("a", [1]), cluster("b")] });
  });
  const dump = await read(ConfigDumpSchema, "/config_dump?resource=dynamic_active_clusters&name_regex=^b$");
  assert.deepEqual(names(dump.configs), ["ClustersConfigDump.DynamicCluster"]);
  const item = JSON.parse(await text("/config_dump?resource=dynamic_active_clusters&name_regex=^b$")).configs[0];
  assert.partialDeepStrictEqual(item, { cluster: { name: "b" }, client_status: "NACKED", error_state: {} });
});

test("endpoints are in it when they are asked for", async () => {
  const dump = await read(ConfigDumpSchema, "/config_dump?include_eds");
  assert.deepEqual(names(dump.configs)[2], "EndpointsConfigDump");
  const one = await read(ConfigDumpSchema, "/config_dump?resource=dynamic_endpoint_configs");
  assert.deepEqual(names(one.configs), ["EndpointsConfigDump.DynamicEndpointConfig"]);
});

test("secrets are in it by their names, without keys", async () => {
  const whole = await text("/config_dump?include_eds");
  assert.match(whole, /BEGIN CERTIFICATE/);
  assert.doesNotMatch(whole, /PRIVATE KEY/);
  const [secret] = JSON.parse(await text("/config_dump?resource=dynamic_active_secrets")).configs;
  assert.partialDeepStrictEqual(secret, {
    "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret",
    name: "server",
    version_info: "sds-7",
    secret: { tls_certificate: { private_key: { inline_string: "[redacted]" } } },
  });
});

test("the dump can be asked for a list, for names and for fields", async () => {
  const json = async (query: string): Promise<unknown> => JSON.parse(await text(`/config_dump?${query}`));
  assert.deepEqual(await json("resource=static_clusters"), { configs: [] });
  const item = "type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster";
  assert.deepEqual(await json("resource=dynamic_active_clusters&mask=cluster.name&name_regex=a"), {
    configs: [{ "@type": item, cluster: { "@type": typeUrls.cluster, name: "a" } }],
  });
  const masked = await json("mask=dynamic_active_clusters.client_status,version_info&name_regex=^(a|in)$");
  assert.deepEqual(masked, {
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        version_info: "cds-7",
        dynamic_active_clusters: [{ client_status: "ACKED" }],
      },
      { "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", version_info: "lds-7" },
      { "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump" },
      { "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump" },
    ],
  });
  assert.match(await text("/config_dump?resource=clusters"), /resource is one of static_clusters, .*, not clusters/);
});

test("/clusters, /listeners and /certs as JSON are Envoy's; ?verbose adds what is not", async () => {
  const clusters = await read(ClustersSchema, "/clusters?format=json");
  assert.deepEqual(
    clusters.clusterStatuses.map(({ name, hostStatuses }) => [name, hostStatuses.length]),
    [
      ["a", 1],
      ["b", 1],
    ],
  );
  assert.match(await text("/clusters?format=json&verbose"), /"upstream_rq_total": 0/);
  const listeners = await read(ListenersSchema, "/listeners?format=json");
  assert.deepEqual(
    listeners.listenerStatuses.map(({ name }) => name),
    ["in", "late"],
  );
  assert.match(await text("/listeners?format=json&verbose"), /"state": "warming"/);
  const certs = await read(CertificatesSchema, "/certs");
  const [certificate] = certs.certificates[0]?.certChain ?? [];
  assert.equal(certificate?.path, "<inline>");
  assert.equal(certificate.daysUntilExpiration, 1n);
  assert.deepEqual(
    certificate.subjectAltNames.map(({ name }) => name),
    [
      { case: "dns", value: "app.example" },
      { case: "uri", value: "spiffe://mesh/app" },
    ],
  );
  assert.match(await text("/certs?verbose"), /"user": "listener in"/);
});

test("/ads tells of the stream", async () => {
  assert.equal(JSON.parse(await text("/ads")).phase, "initialized");
});
