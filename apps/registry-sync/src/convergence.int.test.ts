import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { subjects } from "@fairlead/bus";
import { ConfigPushedSchema, PendingProxy_State } from "@fairlead/fairlead-api";
import { convergenceReportSchema } from "@fairlead/registration";
import { until } from "@fairlead/testing-basics";
import { node, RegistryUnderTest } from "./registry-under-test.ts";

let registry: RegistryUnderTest;
const servers: Server[] = [];
before(async () => {
  registry = await RegistryUnderTest.start({ FAIRLEAD_MAX_WAITERS: "2" });
});
after(async () => {
  for (const server of servers) server.close();
  await registry?.stop();
  await registry?.postgres.stop();
});

const publish = (port: number, query = "") =>
  registry.call("POST", `/pub${query}`, { service: { interface: "shop.Orders", port }, node: node("n1") });

async function compiled(revision: number): Promise<void> {
  const message = create(ConfigPushedSchema, { revision: BigInt(revision), previousRevision: BigInt(revision - 1) });
  await registry.bus.publish({ subject: subjects.configPushed, data: toBinary(ConfigPushedSchema, message), revision });
}

test("?wait=converged answers when every gateway has the revision, with the report", async () => {
  await registry.gatewaySays({ revision: 0n, connected: 1 });
  let answered = false;
  const waiting = publish(8080, "?wait=converged&timeout=20s").finally(() => (answered = true));
  await until("stored", async () => (await registry.store.revision()) > 0);
  const revision = await registry.store.revision();
  await compiled(revision);
  const held = {
    nodeId: "n9",
    typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    state: PendingProxy_State.SENT,
  };
  await registry.gatewaySays({
    revision: BigInt(revision),
    connected: 1,
    pending: [{ ...held, firstRevision: BigInt(revision), lastRevision: BigInt(revision) }],
  });
  const report = await registry.call("GET", `/v1/revisions/${revision}/convergence`);
  assert.deepEqual([report.body["converged"], answered], [false, false]);
  await registry.gatewaySays({ revision: BigInt(revision), connected: 1 });
  const { status, body } = await waiting;
  assert.deepEqual([status, body.err_no, body.revision], [200, 0, revision]);
  assert.equal(convergenceReportSchema.parse(body["convergence"]).converged, true);
});

test("not in time: 504 with the revision, the report, and who is missing; the change is stored", async () => {
  const { status, body } = await publish(8081, "?wait=converged&timeout=50ms");
  assert.deepEqual(
    [status, body.err_no, body.code, body.revision],
    [504, 1, "FL_NOT_CONVERGED", await registry.store.revision()],
  );
  const report = convergenceReportSchema.parse(body["convergence"]);
  assert.equal(report.converged, false);
  assert.ok(report.missing.length > 0);
  assert.match(body.err_msg ?? "", /is stored and has not converged after \d+ ms; missing: /);
  assert.equal((await registry.store.listInstances({ limit: 10, nodeId: "n1" })).items.length, 2);
  const other = await registry.call("DELETE", "/v1/nodes/n1?wait=converged&timeout=1ms");
  assert.deepEqual([other.status, other.body.code, other.body.err_no], [504, "FL_NOT_CONVERGED", undefined]);
});

test("more waiters than there are places: 503 before anything is changed, and places come back", async () => {
  const first = [publish(1, "?wait=converged&timeout=2s"), publish(2, "?wait=converged&timeout=2s")];
  await until(
    "both wait",
    async () => (await registry.store.listInstances({ limit: 10, nodeId: "n1" })).items.length === 2,
  );
  const refused = await publish(3, "?wait=converged&timeout=2s");
  assert.deepEqual([refused.status, refused.body.code, refused.body.err_no], [503, "FL_OVERLOADED", 1]);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal((await registry.store.listInstances({ limit: 10, nodeId: "n1" })).items.length, 2);
  assert.equal((await publish(4)).status, 200, "without wait there is room");
  const revision = await registry.store.revision();
  await compiled(revision);
  await registry.gatewaySays({ revision: BigInt(revision), connected: 1 });
  assert.deepEqual(
    (await Promise.all(first)).map(({ status }) => status),
    [200, 200],
  );
  assert.equal(
    (await registry.call("GET", `/v1/revisions/${revision}/convergence?wait=converged&timeout=1s`)).status,
    200,
  );
});

test("a waiter that goes away gives its place back", async () => {
  const gone = new AbortController();
  const waits = [5, 6].map((port) =>
    fetch(`${registry.registry.url}/pub?wait=converged&timeout=1m`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service: { interface: "shop.Gone", port }, node: node("n2") }),
      signal: gone.signal,
    }).catch(() => undefined),
  );
  await until(
    "both wait",
    async () => (await registry.store.listInstances({ limit: 10, nodeId: "n2" })).items.length === 2,
  );
  assert.equal((await publish(7, "?wait=converged&timeout=1ms")).body.code, "FL_OVERLOADED");
  gone.abort();
  await Promise.all(waits);
  await until(
    "places are free",
    async () => (await publish(7, "?wait=converged&timeout=1ms")).body.code === "FL_NOT_CONVERGED",
  );
});

test("a revision that was never made is no revision that has not converged", async () => {
  const newest = await registry.store.revision();
  for (const query of ["", "?wait=converged&timeout=5m"]) {
    const { status, body } = await registry.call("GET", `/v1/revisions/${newest + 1}/convergence${query}`);
    assert.deepEqual([status, body.code], [404, "FL_REVISION_UNKNOWN"]);
    assert.equal(body.message, `there is no revision ${newest + 1}: the newest is ${newest}`);
  }
});

test("messages that cannot be decoded are dropped", async () => {
  for (const subject of [subjects.configPushed, subjects.proxyStatus]) {
    await registry.bus.publish({ subject, data: Buffer.from("not protobuf"), revision: 0 });
  }
  await registry.gatewaySays({ gatewayId: "after", revision: 1n });
  await until("the next one counts", async () =>
    JSON.stringify((await registry.call("GET", "/v1/gateways")).body).includes("after"),
  );
});

test("/v1/proxies merges what the gateways say, and names those that do not", async () => {
  const serve = async (status: number, body: string): Promise<string> => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/debug/syncz" ? status : 404;
      response.end(body);
    }).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const huge = `{"proxies":[{"pad":"${"x".repeat(17 * 1024 * 1024)}"}]}`;
  await registry.gatewaySays({ gatewayId: "good", debugUrl: await serve(200, '{"proxies":[{"node":"n1"}]}') });
  await registry.gatewaySays({ gatewayId: "down", debugUrl: "http://127.0.0.1:1" });
  await registry.gatewaySays({ gatewayId: "failing", debugUrl: await serve(500, "") });
  await registry.gatewaySays({ gatewayId: "html", debugUrl: await serve(200, "<html>") });
  await registry.gatewaySays({ gatewayId: "huge", debugUrl: await serve(200, huge) });
  await registry.gatewaySays({ gatewayId: "odd", debugUrl: "file:///etc/passwd" });
  await registry.gatewaySays({ gatewayId: "elsewhere", debugUrl: "http://169.254.169.254/latest" });
  await registry.gatewaySays({ gatewayId: "worse", debugUrl: "nonsense" });
  await until("all are heard", async () =>
    JSON.stringify((await registry.call("GET", "/v1/gateways")).body).includes("worse"),
  );
  const { status, body } = await registry.call("GET", "/v1/proxies");
  assert.equal(status, 200);
  assert.deepEqual(body["proxies"], [{ node: "n1", gateway: "good" }]);
  const said = new Map<unknown, unknown>();
  assert.ok(Array.isArray(body["gateways"]));
  for (const gateway of body["gateways"]) said.set(gateway.id, gateway.error);
  assert.equal(said.get("good"), undefined);
  assert.equal(said.get("down"), "it cannot be reached");
  for (const id of ["failing", "html", "huge"]) assert.equal(said.get(id), "its answer is not what /debug/syncz gives");
  for (const id of ["odd", "worse", "elsewhere"])
    assert.match(String(said.get(id)), /^the address that it announces is neither/);
});
