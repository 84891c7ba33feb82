import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { until } from "@fairlead/testing-basics";
import { XdsTestClient } from "@fairlead/testing-xds";
import type { AdsGatewayConfig } from "../config.ts";
import { clusterForTest, GatewayUnderTest, keyOf, type ResourceForTest } from "../gateway-under-test.ts";
import { configzAnswer } from "./config.ts";
import { connectionsAnswer } from "./connections.ts";
import { endpointzAnswer } from "./endpointz.ts";
import { pushStatusAnswer } from "./push-status.ts";
import { registryzAnswer } from "./registryz.ts";
import { synczAnswer } from "./syncz.ts";

const orders = "outbound|http||shop.Orders";
const ordersV2 = "outbound|http|v2|shop.Orders";
const catalog = "outbound|grpc||shop.Catalog";

function endpointsForTest(name: string, hosts: readonly [string, HealthStatus][]): ResourceForTest {
  const lbEndpoints = hosts.map(([address, healthStatus]) => ({
    healthStatus,
    hostIdentifier: {
      case: "endpoint" as const,
      value: {
        address: {
          address: {
            case: "socketAddress" as const,
            value: { address, portSpecifier: { case: "portValue" as const, value: 8080 } },
          },
        },
      },
    },
  }));
  const locality = { region: "eu", zone: "eu-1" };
  const message = create(ClusterLoadAssignmentSchema, { clusterName: name, endpoints: [{ locality, lbEndpoints }] });
  return { typeUrl: typeUrls.endpoint, name, version: "1", body: toBinary(ClusterLoadAssignmentSchema, message) };
}

const secret: ResourceForTest = {
  typeUrl: typeUrls.secret,
  name: "cert",
  version: "1",
  body: toBinary(
    SecretSchema,
    create(SecretSchema, {
      name: "cert",
      type: {
        case: "tlsCertificate",
        value: { privateKey: { specifier: { case: "inlineString", value: "THE-PRIVATE-KEY" } } },
      },
    }),
  ),
};

const resources = [
  clusterForTest(orders),
  clusterForTest(ordersV2),
  clusterForTest(catalog),
  clusterForTest("inbound|8080"),
  endpointsForTest(orders, [
    ["10.0.0.1", HealthStatus.HEALTHY],
    ["10.0.0.2", HealthStatus.DRAINING],
  ]),
  endpointsForTest(ordersV2, [["10.0.0.2", HealthStatus.UNKNOWN]]),
  endpointsForTest(catalog, []),
  secret,
];

async function serving(t: TestContext, config: Partial<AdsGatewayConfig> = {}): Promise<GatewayUnderTest> {
  const mesh = await GatewayUnderTest.serving(resources, { config });
  t.after(() => mesh.stop());
  return mesh;
}

async function proxy(mesh: GatewayUnderTest, nodeId: string): Promise<XdsTestClient> {
  const client = mesh.closeOnStop(new XdsTestClient({ address: mesh.address, nodeId }));
  client.subscribe(typeUrls.cluster);
  await client.nextAcked(typeUrls.cluster);
  return client;
}

test("endpointz has each cluster's endpoints; it can be asked for one service", async (t) => {
  const mesh = await serving(t);
  const all = endpointzAnswer.parse(await mesh.debug("/debug/endpointz"));
  assert.deepEqual(
    all.clusters.map(({ cluster, endpoints }) => [cluster, endpoints.length]),
    [
      [catalog, 0],
      [ordersV2, 1],
      [orders, 2],
    ],
  );
  const { clusters } = endpointzAnswer.parse(await mesh.debug("/debug/endpointz?service=shop.Orders"));
  assert.equal(clusters.length, 2);
  const { endpoints, ...cluster } = clusters[1]!;
  assert.deepEqual(cluster, {
    cluster: orders,
    service: "shop.Orders",
    protocol: "http",
    subset: "",
    version: "1",
    revision: 1,
  });
  const common = { port: 8080, weight: 1, locality: "eu/eu-1", priority: 0 };
  assert.deepEqual(endpoints, [
    { address: "10.0.0.1", health: "HEALTHY", ...common },
    { address: "10.0.0.2", health: "DRAINING", ...common },
  ]);
});

test("registryz has the services, page by page", async (t) => {
  const mesh = await serving(t);
  const first = registryzAnswer.parse(await mesh.debug("/debug/registryz?limit=1"));
  const after = encodeURIComponent(first.next ?? "");
  const second = registryzAnswer.parse(await mesh.debug(`/debug/registryz?limit=1&after=${after}`));
  assert.equal(second.next, null);
  assert.deepEqual(
    [...first.services, ...second.services],
    [
      { service: "shop.Catalog", protocol: "grpc", clusters: [catalog], subsets: [], endpoints: 0, healthy: 0 },
      {
        service: "shop.Orders",
        protocol: "http",
        clusters: [ordersV2, orders],
        subsets: ["v2"],
        endpoints: 2,
        healthy: 1,
      },
    ],
  );
});

test("configz has bodies, by type and name and page; no private key is in it", async (t) => {
  const mesh = await serving(t);
  let url = "/debug/configz?proxy=n1&limit=3";
  const seen: string[] = [];
  for (let pages = 1; ; pages++) {
    const { resources: page, next } = configzAnswer.parse(await mesh.debug(url));
    seen.push(...page.map(({ name, type }) => `${type.split(".").at(-1)} ${name}`));
    if (next === null) {
      assert.equal(pages, 3);
      break;
    }
    url = `/debug/configz?proxy=n1&limit=3&after=${encodeURIComponent(next)}`;
  }
  assert.equal(seen.length, resources.length);
  assert.deepEqual(seen.slice(0, 2), ["Cluster inbound|8080", `Cluster ${catalog}`]);
  const type = encodeURIComponent(typeUrls.cluster);
  const one = configzAnswer.parse(
    await mesh.debug(`/debug/configz?proxy=n1&type=${type}&name=${encodeURIComponent(orders)}`),
  );
  assert.deepEqual(one.resources[0]?.body, { name: orders, altStatName: "1" });
  const everything = JSON.stringify(await mesh.debug("/debug/configz?proxy=n1&limit=1000"));
  assert.match(everything, /"privateKey":\{"inlineString":"\[redacted\]"\}/);
  assert.doesNotMatch(everything, /THE-PRIVATE-KEY/);
});

test("config and configz both take the node as node= and as proxy=", async (t) => {
  const mesh = await serving(t);
  for (const page of ["config", "configz"]) {
    for (const name of ["node", "proxy"])
      assert.equal(((await mesh.debug(`/debug/${page}?${name}=n1`)) as { node: string }).node, "n1");
    for (const query of ["", "?node=n1&proxy=n2"]) {
      const { code } = (await mesh.debug(`/debug/${page}${query}`)) as { code: string };
      assert.equal(code, "FL_REQUEST_INVALID", query);
    }
  }
});

test("syncz can be asked for one proxy, and page by page; a refusal is in it with its sources", async (t) => {
  const mesh = await serving(t);
  for (const nodeId of ["n1", "n2", "n3"]) await proxy(mesh, nodeId);
  const client = mesh.closeOnStop(new XdsTestClient({ address: mesh.address, nodeId: "bad" }));
  client.subscribe(typeUrls.endpoint, [orders]);
  client.nack(await client.next(typeUrls.endpoint), "no");
  await mesh.statusWhere(({ nacks }) => nacks.length === 1);
  const first = synczAnswer.parse(await mesh.debug("/debug/syncz?limit=3"));
  const rest = synczAnswer.parse(await mesh.debug(`/debug/syncz?limit=3&after=${first.next}`));
  assert.deepEqual(
    [...first.proxies, ...rest.proxies].map(({ node }) => node),
    ["n1", "n2", "n3", "bad"],
  );
  assert.equal(rest.next, null);
  const { proxies } = synczAnswer.parse(await mesh.debug("/debug/syncz?proxy=bad"));
  const refusal = proxies[0]?.types[0]?.refusal;
  assert.deepEqual([refusal?.reason, refusal?.names], ["no", [orders]]);
  assert.deepEqual(refusal?.provenance, [{ kind: "service", key: orders }]);
  const { streams, connections } = connectionsAnswer.parse(await mesh.debug("/debug/connections?limit=2"));
  assert.deepEqual([streams, connections.length], [4, 2]);
});

test("push_status says how far a change has got: who has not ACKed it, and who refuses it", async (t) => {
  const mesh = await serving(t, { debounceQuiet: 60_000 });
  const [good, slow, bad] = [await proxy(mesh, "good"), await proxy(mesh, "slow"), await proxy(mesh, "bad")];
  await mesh.statusWhere((one) => one.connected === 3 && one.pending.length === 0);
  const revision = await mesh.commit({ resources: [clusterForTest(orders, "2")] });
  await good.nextAcked(typeUrls.cluster);
  await slow.next(typeUrls.cluster);
  bad.nack(await bad.next(typeUrls.cluster), "no");
  const read = async () => pushStatusAnswer.parse(await mesh.debug("/debug/push_status"));
  const status = await until("one waits, one has refused", async () => {
    const { commits, ...rest } = await read();
    return commits[0]?.waiting === 1 && commits[0].refused === 1 ? { commits, ...rest } : false;
  });
  const { atMs: _, ...newest } = status.commits[0]!;
  assert.deepEqual(newest, { revision, changed: 1, removed: 0, proxies: 3, waiting: 1, refused: 1 });
  assert.deepEqual([status.streams, status.pending, status.revision], [3, 2, revision]);
  await mesh.commit({ removed: [keyOf(clusterForTest(ordersV2))] });
  const held = await until("a proxy that is announced three changes", async () =>
    (await read()).lanes.find(({ announced }) => announced === 3),
  );
  assert.equal(held.lane, "configuration", "the debounce holds the second change back");
});
