import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";
import { nodeSchema, serviceSchema } from "@fairlead/registration";
import { inSpan, startTelemetry, type Telemetry } from "@fairlead/telemetry";
import { refusal, ScriptedRegistry } from "../testing/scripted-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const node = nodeSchema.parse({
  id: "sidecar~10.0.0.1~orders~fairlead",
  app: "orders",
  address: "10.0.0.1",
  inboundPort: 15006,
});
const orders = serviceSchema.parse({ interface: "shop.Orders", port: 8080 });
let registry: ScriptedRegistry;
let client: RegistryClient;
let telemetry: Telemetry;

beforeEach(async () => {
  telemetry = startTelemetry({ service: "test" });
  registry = new ScriptedRegistry();
  await registry.start();
  client = new RegistryClient({ urls: [`${registry.url}/`], node, timeoutMs: 2000 });
});
afterEach(async () => {
  await registry.stop();
  await telemetry.shutdown();
});

test("each operation has its path, body and wait", async () => {
  await client.registerNode();
  await client.publish(orders, "warming");
  await client.setState(orders, "ready", { waitMs: 1500.4 });
  await client.unpublish({ ...orders, port: undefined });
  await client.subscribe(orders);
  await client.unsubscribe(orders);
  assert.equal(await client.renewLease(), 30_000);
  await client.removeNode();
  assert.deepEqual(
    registry.requests.map(({ method, path, body }) => [method, path, Object.keys(body).join()]),
    [
      ["POST", "/v1/nodes", "node"],
      ["POST", "/pub", "node,service,state"],
      ["POST", "/v1/instances/state?wait=converged&timeout=1500ms", "node,service,state"],
      ["POST", "/unpub", "node,service"],
      ["POST", "/sub", "node,service"],
      ["POST", "/unsub", "node,service"],
      ["POST", "/v1/leases/renew", "node"],
      ["DELETE", "/v1/nodes/sidecar~10.0.0.1~orders~fairlead", ""],
    ],
  );
  assert.deepEqual(registry.requests[1]?.body["node"], node);
});

test("what the registry has of the node, from all pages", async () => {
  registry.reply = ({ method, path }) => {
    if (method !== "GET") return undefined;
    const query = new URL(path, registry.url).searchParams;
    assert.equal(query.get("node"), node.id);
    if (path.startsWith("/v1/subscriptions"))
      return { status: 200, body: { subscriptions: [{ nodeId: node.id, interface: "shop.Catalog" }] } };
    const [port, state] = query.get("after") === "page2" ? [8081, "draining"] : [8080, "ready"];
    return {
      status: 200,
      body: { instances: [{ ...orders, nodeId: node.id, port, state }], ...(port === 8080 ? { next: "page2" } : {}) },
    };
  };
  const held = await client.held();
  assert.deepEqual(held.publications, [
    { service: orders, state: "ready" },
    { service: { ...orders, port: 8081 }, state: "draining" },
  ]);
  assert.deepEqual(
    held.subscriptions.map((subscription) => subscription.interface),
    ["shop.Catalog"],
  );
});

test("the trace goes on in the registry", async () => {
  await inSpan(
    "test",
    {},
    async () => await client.renewLease(),
    "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
  );
  assert.match(String(registry.requests[0]?.headers["traceparent"]), /^00-0123456789abcdef0123456789abcdef-/);
});

test("a refusal is relayed as it came", async () => {
  registry.reply = () => refusal(404, "FL_NODE_UNKNOWN", "there is no such node");
  await assert.rejects(client.renewLease(), (error) => {
    assert.ok(error instanceof RelayedError);
    assert.deepEqual(
      [error.status, error.code, error.message, error.action],
      [404, "FL_NODE_UNKNOWN", "there is no such node", "see the test"],
    );
    assert.deepEqual(error.facts, { why: "test" });
    return true;
  });
});

for (const [what, reply] of [
  ["no JSON", { status: 200, body: "<html>" }],
  ["an error page of something in between", { status: 502, body: "Bad Gateway" }],
  ["JSON of something else", { status: 200, body: { hello: "world" } }],
  ["an error without a code", { status: 500, body: { error: "x" } }],
] as const) {
  test(`${what} is not an answer`, async () => {
    registry.reply = () => reply;
    await assert.rejects(client.publish(orders, "warming"), { code: "FL_REGISTRY_UNAVAILABLE" });
  });
}

test("a registry that is away, or hangs, is named; credentials of its URL are not", async () => {
  await registry.stop();
  const secret = new RegistryClient({ urls: [`http://user:secret@127.0.0.1:${registry.port}`], node, timeoutMs: 500 });
  const refused = (error: unknown): boolean => {
    assert.ok(error instanceof FairleadError);
    assert.equal(error.code, "FL_REGISTRY_UNAVAILABLE");
    assert.match(error.message, new RegExp(`127.0.0.1:${registry.port}: `));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)}`, /secret/);
    return true;
  };
  await assert.rejects(secret.renewLease(), refused);
  await registry.start();
  registry.reply = () => "hang";
  const hanging = new RegistryClient({ urls: [registry.url], node, timeoutMs: 100 });
  await assert.rejects(hanging.renewLease(), (error) => refused(error) && /no answer in time/.test(String(error)));
  assert.equal(registry.requests.length, 1, "a registry that hangs is asked once");
});

test("credentials of a URL go into a header", async () => {
  const secret = new RegistryClient({ urls: [`http://us%40er:secret@127.0.0.1:${registry.port}`], node });
  await secret.renewLease();
  assert.equal(registry.requests[0]?.headers.authorization, `Basic ${Buffer.from("us@er:secret").toString("base64")}`);
});

test("several registries are tried in turn, beginning with the one that answered last", async () => {
  const other = new ScriptedRegistry();
  await other.start();
  try {
    client = new RegistryClient({ urls: [registry.url, other.url], node });
    await registry.stop();
    await client.renewLease();
    assert.equal(other.requests.length, 1);
    await registry.start();
    await client.renewLease();
    assert.deepEqual([registry.requests.length, other.requests.length], [0, 2]);
    // A refusal is an answer: no other registry is asked.
    other.reply = () => refusal(503, "FL_STORE_UNAVAILABLE");
    await assert.rejects(client.renewLease(), { code: "FL_STORE_UNAVAILABLE" });
    assert.equal(registry.requests.length, 0);
  } finally {
    await other.stop();
  }
});

test("a registry that was restarted is reached over a new connection", async () => {
  await client.renewLease();
  await registry.stop();
  await registry.start();
  await client.renewLease();
  assert.equal(registry.requests.length, 2);
});

test("an aborted call ends at once with the signal's reason", async () => {
  registry.reply = () => "hang";
  const abort = new AbortController();
  const call = assert.rejects(client.renewLease({ signal: abort.signal }), /enough/);
  await registry.waitFor("the call", () => true);
  abort.abort(new Error("enough"));
  await call;
});
