import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { fetchPath, VariantClient, type XdsService, type XdsVariant } from "@fairlead/testing-xds";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { clusterForTest, GatewayUnderTest } from "./gateway-under-test.ts";

const csds = "/envoy.service.status.v3.ClientStatusDiscoveryService";
const asIs = (bytes: Buffer) => bytes;

async function starting(t: TestContext, ...args: ConstructorParameters<typeof GatewayUnderTest>) {
  const mesh = new GatewayUnderTest(...args);
  t.after(() => mesh.stop());
  await mesh.start();
  return mesh;
}

function clientOf(mesh: GatewayUnderTest): Client {
  return mesh.closeOnStop(
    new Client(mesh.address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
  );
}

async function unary(mesh: GatewayUnderTest, path: string): Promise<ServiceError | null> {
  return await new Promise((resolve) => {
    clientOf(mesh).makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error: ServiceError | null) => resolve(error));
  });
}

/** How a stream of each service and variant ends that begins with a request for a node, by its name. */
async function endings(mesh: GatewayUnderTest, nodeId = "n1"): Promise<Map<string, { code: status; details: string }>> {
  const result = new Map<string, { code: status; details: string }>();
  for (const variant of ["sotw", "delta"] satisfies XdsVariant[]) {
    for (const service of ["ads", "single"] satisfies XdsService[]) {
      for (const typeUrl of Object.values(typeUrls)) {
        const client = mesh.closeOnStop(new VariantClient({ address: mesh.address, variant, service, nodeId }));
        client.subscribe(typeUrl, "a");
        result.set(`${variant} ${service} ${typeUrl}`, await client.ended(typeUrl));
      }
    }
  }
  result.set("csds fetch", (await unary(mesh, `${csds}/FetchClientStatus`)) ?? { code: status.OK, details: "" });
  const stream = clientOf(mesh).makeBidiStreamRequest(`${csds}/StreamClientStatus`, asIs, asIs);
  stream.on("error", () => undefined).resume();
  stream.write(Buffer.alloc(0));
  result.set("csds stream", await new Promise((resolve) => stream.on("status", resolve)));
  return result;
}

test("an authenticator that refuses refuses every service in every variant", async (t) => {
  const mesh = await starting(t, { authenticate: () => undefined });
  await mesh.commit({ resources: [clusterForTest("a")] });
  await mesh.statusWhere((one) => one.revision === 1n);
  const all = await endings(mesh);
  assert.equal(all.size, 22);
  for (const [where, { code, details }] of all) {
    assert.equal(code, status.UNAUTHENTICATED, where);
    assert.match(details, /FL_XDS_UNAUTHENTICATED/, where);
  }
  assert.deepEqual(await mesh.connections(), []);
});

test("a peer that may not be the node is refused by every service in every variant", async (t) => {
  const mesh = await starting(t, { authenticate: () => ({ mayBe: (nodeId) => nodeId === "another" }) });
  await mesh.commit({ resources: [clusterForTest("a")] });
  await mesh.statusWhere((one) => one.revision === 1n);
  const held = mesh.closeOnStop(
    new VariantClient({ address: mesh.address, variant: "delta", service: "ads", nodeId: "another" }),
  );
  held.subscribe(typeUrls.cluster);
  await held.nextAcked(typeUrls.cluster);
  for (const variant of ["sotw", "delta"] satisfies XdsVariant[]) {
    for (const service of ["ads", "single"] satisfies XdsService[]) {
      for (const typeUrl of Object.values(typeUrls)) {
        const client = mesh.closeOnStop(new VariantClient({ address: mesh.address, variant, service, nodeId: "n1" }));
        client.subscribe(typeUrl, "a");
        assert.equal((await client.ended(typeUrl)).code, status.PERMISSION_DENIED, `${variant} ${service} ${typeUrl}`);
      }
    }
  }
});

test("before the first configuration every service in every variant is UNAVAILABLE", async (t) => {
  const mesh = await starting(t);
  for (const [where, { code, details }] of await endings(mesh)) {
    assert.equal(code, status.UNAVAILABLE, where);
    assert.match(details, /FL_GATEWAY_NOT_SYNCED/, where);
  }
});

test("Fetch is UNIMPLEMENTED, with what to use instead", async (t) => {
  const mesh = await starting(t);
  for (const typeUrl of Object.values(typeUrls)) {
    const error = await unary(mesh, fetchPath(typeUrl));
    assert.equal(error?.code, status.UNIMPLEMENTED);
    assert.match(error?.details ?? "", /Stream or Delta/);
  }
});
