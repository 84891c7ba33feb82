import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ClientResourceStatus } from "@fairlead/envoy-api/envoy/admin/v3/config_dump_shared_pb.js";
import {
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "@fairlead/envoy-api/envoy/service/status/v3/csds_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { until } from "@fairlead/testing-basics";
import { VariantClient } from "@fairlead/testing-xds";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { clusterForTest, GatewayUnderTest } from "./gateway-under-test.ts";

const { cluster, endpoint } = typeUrls;
const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";

type Request = MessageInitShape<typeof ClientStatusRequestSchema>;
const encode = (request: Request) =>
  Buffer.from(toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema, request)));
const decode = (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes);

function clientOf(mesh: GatewayUnderTest): Client {
  return mesh.closeOnStop(
    new Client(mesh.address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
  );
}

async function fetchStatus(mesh: GatewayUnderTest, request: Request, headers = {}): Promise<ClientStatusResponse> {
  return await new Promise((resolve, reject) => {
    clientOf(mesh).makeUnaryRequest(
      `${service}/FetchClientStatus`,
      encode,
      decode,
      request,
      Metadata.fromHttp2Headers(headers),
      (error: ServiceError | null, answer?: ClientStatusResponse) =>
        answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer),
    );
  });
}

async function serving(t: TestContext, ...args: Parameters<typeof GatewayUnderTest.serving>) {
  const mesh = await GatewayUnderTest.serving(...args);
  t.after(() => mesh.stop());
  return mesh;
}

function connect(mesh: GatewayUnderTest, nodeId: string, variant: "sotw" | "delta" = "delta"): VariantClient {
  return mesh.closeOnStop(new VariantClient({ address: mesh.address, variant, service: "ads", nodeId }));
}

for (const variant of ["sotw", "delta"] as const) {
  test(`each resource of a proxy is told with its content and whether it is ACKed [${variant}]`, async (t) => {
    const mesh = await serving(t, [clusterForTest("good"), clusterForTest("bad")]);
    const client = connect(mesh, "n1", variant);
    client.subscribe(cluster);
    client.nack(await client.next(cluster), "cluster 'bad': no such thing");
    await client.next(cluster);
    client.subscribe(endpoint, "none");
    if (variant === "delta") await client.nextAcked(endpoint);
    await mesh.statusWhere((one) => one.pending.length > 0);
    const { config } = await fetchStatus(mesh, {});
    assert.equal(config[0]!.node?.id, "n1");
    const shown = config[0]!.genericXdsConfigs.map(({ name, configStatus, clientStatus, xdsConfig, errorState }) => ({
      name,
      status: ConfigStatus[configStatus],
      client: ClientResourceStatus[clientStatus],
      content: xdsConfig?.value.byteLength !== undefined,
      error: errorState?.details,
    }));
    const bad = {
      name: "bad",
      status: "ERROR",
      client: "NACKED",
      content: true,
      error: "cluster 'bad': no such thing",
    };
    const good = { name: "good", status: "STALE", client: "REQUESTED", content: true, error: undefined };
    const none = { name: "none", status: "NOT_SENT", client: "DOES_NOT_EXIST", content: false, error: undefined };
    assert.deepEqual(
      shown.sort((a, b) => (a.name < b.name ? -1 : 1)),
      [bad, good, none],
    );
  });
}

test("nodes are selected, and contents left out", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  for (const nodeId of ["shop-1", "shop-2", "edge"]) {
    const client = connect(mesh, nodeId);
    client.subscribe(cluster);
    await client.nextAcked(cluster);
  }
  const cases = [
    { match: { case: "exact", value: "edge" }, nodes: ["edge"] },
    { match: { case: "prefix", value: "shop-" }, nodes: ["shop-1", "shop-2"] },
    { match: { case: "suffix", value: "-2" }, nodes: ["shop-2"] },
    { match: { case: "contains", value: "d" }, nodes: ["edge"] },
  ] as const;
  for (const { match, nodes } of cases) {
    const request = { nodeMatchers: [{ nodeId: { matchPattern: match } }], excludeResourceContents: true };
    const { config } = await fetchStatus(mesh, request);
    assert.deepEqual(config.map(({ node }) => node!.id).sort(), nodes);
    assert.ok(config.every((one) => one.genericXdsConfigs.every((resource) => resource.xdsConfig === undefined)));
  }
  const regex: Request = {
    nodeMatchers: [{ nodeId: { matchPattern: { case: "safeRegex", value: { regex: ".*" } } } }],
  };
  await assert.rejects(fetchStatus(mesh, regex), { code: status.INVALID_ARGUMENT, details: /FL_CSDS_UNSUPPORTED/ });
});

test("on a stream each request is answered, and half-close ends it", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")]);
  const call = clientOf(mesh).makeBidiStreamRequest(`${service}/StreamClientStatus`, encode, decode);
  call.write({});
  call.write({});
  call.end();
  const answers = await call.toArray();
  assert.equal(answers.length, 2);
});

test("an answer that is too large is refused with what to do", async (t) => {
  const mesh = await serving(t, [clusterForTest("large", "1", 4 * 1024 * 1024)]);
  const client = connect(mesh, "n1");
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  await assert.rejects(fetchStatus(mesh, {}), {
    code: status.RESOURCE_EXHAUSTED,
    details: /exclude_resource_contents/,
  });
  assert.equal((await fetchStatus(mesh, { excludeResourceContents: true })).config.length, 1);
});

test("a peer is told of the nodes that it may be, and no others", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")], {
    authenticate: ({ metadata }) => {
      const [who = ""] = metadata.get("who");
      return { mayBe: (nodeId) => who === "" || nodeId === who };
    },
  });
  const client = connect(mesh, "n1");
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  assert.equal((await fetchStatus(mesh, {}, { who: "n1" })).config.length, 1);
  assert.equal((await fetchStatus(mesh, {}, { who: "n2" })).config.length, 0);
});

test("a connection with a stream of CSDS alone is in use, until the stream ends", async (t) => {
  const mesh = await serving(t, [clusterForTest("a")], { config: { connectionIdleTimeout: 50, drainTimeout: 50 } });
  const call = clientOf(mesh).makeBidiStreamRequest(`${service}/StreamClientStatus`, encode, decode, new Metadata());
  const answers: ClientStatusResponse[] = [];
  const ends: number[] = [];
  call.on("data", (answer: ClientStatusResponse) => answers.push(answer));
  call.on("error", ({ code }: ServiceError) => ends.push(code));
  call.on("end", () => ends.push(status.OK));
  const ask = async () => {
    const before = answers.length;
    call.write({});
    await until("an answer, or the end", () => answers.length > before || ends.length > 0);
    assert.deepEqual(ends, []);
  };
  await ask();
  // A connection that counted as idle would be gone long before.
  for (const end = performance.now() + 400; performance.now() < end;) await ask();
  call.end();
  await until("the end", () => ends.length > 0);
  assert.deepEqual(ends, [status.OK]);
});
