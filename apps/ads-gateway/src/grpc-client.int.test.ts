import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { Cluster_DiscoveryType, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ApiVersion } from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { PendingProxy_State } from "@fairlead/fairlead-api";
import { until } from "@fairlead/testing-basics";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";
import { GatewayUnderTest, type ResourceForTest } from "./gateway-under-test.ts";

const service = "shop.Orders";
const clusterName = `outbound|grpc||${service}`;
const method = `/${service}/Where`;
const ads = { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: ApiVersion.V3 } as const;

function resource<Desc extends DescMessage>(
  typeUrl: string,
  name: string,
  version: string,
  type: Desc,
  init: MessageInitShape<Desc>,
): ResourceForTest {
  const onDemand = typeUrl === typeUrls.listener || typeUrl === typeUrls.route;
  return { typeUrl, name, version, onDemand, body: toBinary(type, create(type, init)) };
}

/** What the compiler makes for proxyless clients of one service, written by hand. */
function apiListener(): ResourceForTest {
  const manager = create(HttpConnectionManagerSchema, {
    routeSpecifier: { case: "rds", value: { routeConfigName: service, configSource: ads } },
    httpFilters: [
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
  });
  const init = { name: service, apiListener: { apiListener: anyPack(HttpConnectionManagerSchema, manager) } };
  return resource(typeUrls.listener, service, "1", ListenerSchema, init);
}
function routes(): ResourceForTest {
  return resource(typeUrls.route, service, "1", RouteConfigurationSchema, {
    name: service,
    virtualHosts: [
      {
        name: service,
        domains: [service],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "" } },
            action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: clusterName } } },
          },
        ],
      },
    ],
  });
}
function cluster(version = "1"): ResourceForTest {
  return resource(typeUrls.cluster, clusterName, version, ClusterSchema, {
    name: clusterName,
    altStatName: version,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads },
  });
}
function endpoints(version: string, port: number): ResourceForTest {
  return resource(typeUrls.endpoint, clusterName, version, ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [
      {
        locality: { region: "here" },
        loadBalancingWeight: 1,
        lbEndpoints: [
          {
            loadBalancingWeight: 100,
            hostIdentifier: {
              case: "endpoint",
              value: {
                address: {
                  address: {
                    case: "socketAddress",
                    value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: port } },
                  },
                },
              },
            },
          },
        ],
      },
    ],
  });
}

/** Answers every call with its name. */
async function startBackend(t: TestContext, name: string): Promise<number> {
  const server = new Server();
  const bytes = (message: Buffer) => message;
  const where = {
    path: method,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { where },
    {
      where: (_call: unknown, answer: (error: null, reply: Buffer) => void) => answer(null, Buffer.from(name)),
    },
  );
  t.after(() => server.forceShutdown());
  return await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

async function ask(client: Client): Promise<string> {
  return await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method,
      (message: Buffer) => message,
      (message: Buffer) => message.toString(),
      Buffer.alloc(0),
      { deadline: Date.now() + 4000 },
      (error, reply) => (error === null ? resolve(reply ?? "") : reject(error)),
    );
  });
}

test("an unmodified gRPC client resolves and calls through the gateway, follows endpoints, and refuses nothing (rules 14, 21, 39, 42, 53)", async (t) => {
  register();
  const [one, two] = [await startBackend(t, "one"), await startBackend(t, "two")];
  const mesh = await GatewayUnderTest.serving([apiListener(), routes(), cluster(), endpoints("1", one)]);
  t.after(() => mesh.stop());
  const bootstrap = {
    xds_servers: [{ server_uri: `127.0.0.1:${mesh.gateway.grpcPort}`, channel_creds: [{ type: "insecure" }] }],
    node: { id: "grpc-client", cluster: "shop-web", locality: {} },
  };
  const client = new Client(`xds:///${service}`, credentials.createInsecure(), {
    "grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config": JSON.stringify(bootstrap),
  });
  const closed = { client: false };
  t.after(() => closed.client || client.close());
  assert.equal(await ask(client), "one");

  await mesh.commit({ resources: [endpoints("2", two)] });
  await until("the other endpoint answers", async () => (await ask(client)) === "two");
  await mesh.commit({ resources: [cluster("2")] });
  await mesh.commit({ resources: [endpoints("3", one)] });
  await until("the first answers again", async () => (await ask(client)) === "one");

  await mesh.statusWhere((status) => Number(status.revision) === mesh.revision && status.pending.length === 0);
  const { proxies } = await mesh.syncz();
  assert.equal(proxies.length, 1);
  assert.equal(proxies[0]!.node, "grpc-client");
  assert.match(proxies[0]!.userAgent, /gRPC Node/);
  assert.deepEqual(
    proxies[0]!.types.map((type) => type.state),
    ["ACKED", "ACKED", "ACKED", "ACKED"],
  );
  const refused = mesh.statuses
    .flatMap((status) => status.pending)
    .filter((entry) => entry.state === PendingProxy_State.NACKED);
  assert.deepEqual(refused, []);

  client.close();
  closed.client = true;
  await until("its subscriptions are gone", async () => {
    const proxy = (await mesh.syncz()).proxies[0];
    return proxy === undefined || proxy.types.every((type) => type.state === "NOT_SUBSCRIBED");
  });
  assert.deepEqual(mesh.statuses.at(-1)?.pending, []);
});
