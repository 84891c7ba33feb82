import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import type { HttpApi } from "@fairlead/http-api";
import { createLogger } from "@fairlead/logging";
import { nodeSchema } from "@fairlead/registration";
import { startTelemetry, type Telemetry } from "@fairlead/telemetry";
import { Publications } from "../registration/publications.ts";
import { Registrations } from "../registration/registrations.ts";
import { Subscriptions } from "../registration/subscriptions.ts";
import { RegistryClient } from "../registry/registry-client.ts";
import { refusal, ScriptedRegistry } from "../testing/scripted-registry.ts";
import { createLocalApi } from "./local-api.ts";

const node = nodeSchema.parse({ id: "orders-1", app: "orders", address: "127.0.0.1", inboundPort: 15006 });
let telemetry: Telemetry;
let registry: ScriptedRegistry;
let registrations: Registrations;
let publications: Publications;
let api: HttpApi;
let base: string;
let waitingFor: string[] = [];

interface Answer {
  readonly status: number;
  readonly body: {
    readonly err_no?: number;
    readonly err_msg?: string;
    readonly code?: string;
    readonly action?: string;
    readonly facts?: { readonly problems?: string[]; readonly why?: string };
    readonly revision?: number;
    readonly convergence?: { readonly converged: boolean };
    readonly publications?: { readonly state: string; readonly service: { readonly interface: string } }[];
    readonly subscriptions?: object[];
  };
}

async function ask(
  path: string,
  body?: string | Uint8Array<ArrayBuffer> | object,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<Answer> {
  const payload =
    body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(
    `${base}${path}`,
    payload === undefined ? {} : { method: "POST", body: payload, headers },
  );
  const answer: Answer["body"] = JSON.parse(await response.text());
  return { status: response.status, body: answer };
}

before(async () => {
  telemetry = startTelemetry({ service: "test" });
});
after(async () => {
  publications.close();
  await api.close();
  await registry.stop();
  await telemetry.shutdown();
});
beforeEach(async () => {
  await api?.close();
  await registry?.stop();
  publications?.close();
  registry = new ScriptedRegistry();
  await registry.start();
  const client = new RegistryClient({ urls: [registry.url], node });
  const proxy = { serves: async () => undefined, whenIdle: async () => true };
  publications = new Publications({ registry: client, proxy, nodeId: node.id, now: () => performance.now() });
  const lease = { state: () => ({ registered: true, renewedAtMs: 1, error: undefined }) };
  registrations = new Registrations({ node, publications, subscriptions: new Subscriptions(client), lease });
  const logger = createLogger({ service: "test", level: "silent" });
  api = await createLocalApi({
    registrations,
    logger,
    telemetry,
    readiness: () => ({ waitingFor }),
    rpcPorts: { dubboPort: 20880, boltPort: 12200, outboundRpcPort: 12220 },
  });
  base = `http://127.0.0.1:${await api.listen("127.0.0.1", 0)}`;
});

const orders = { interface: "shop.Orders", protocol: "http", port: 8080 };

test("publish, list, withdraw: the answers of registry-sync", async () => {
  const published = await ask("/pub?wait=converged&timeout=5s", { service: orders });
  assert.equal(published.status, 200);
  assert.deepEqual([published.body.err_no, published.body.err_msg, published.body.revision], [0, "publish success", 2]);
  assert.equal(published.body.convergence?.converged, true);
  const subscribed = await ask("/sub", { service: { interface: "shop.Catalog" } });
  assert.deepEqual([subscribed.body.err_no, subscribed.body.err_msg], [0, "subscribe success"]);
  const { body } = await ask("/v1/registrations");
  assert.deepEqual(
    body.publications?.map(({ state, service }) => [service.interface, state]),
    [["shop.Orders", "ready"]],
  );
  assert.deepEqual(body.subscriptions, [{ interface: "shop.Catalog", protocol: "http", version: "", group: "" }]);
  assert.equal((await ask("/unsub", { service: { interface: "shop.Catalog" } })).body.err_msg, "unsubscribe success");
  const withdrawn = await ask("/unpub?wait=converged", { service: { interface: "shop.Orders" } });
  assert.deepEqual([withdrawn.body.err_msg, withdrawn.body.convergence?.converged], ["unpub success", true]);
  const rest = (await ask("/v1/registrations")).body;
  assert.deepEqual([rest.publications, rest.subscriptions], [[], []]);
  assert.deepEqual(registry.log(), [
    "POST /pub shop.Orders warming",
    "POST /v1/instances/state shop.Orders ready",
    "POST /sub shop.Catalog",
    "POST /unsub shop.Catalog",
    "POST /v1/instances/state shop.Orders draining",
    "POST /unpub shop.Orders",
  ]);
});

const bad: readonly (readonly [
  what: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer> | object,
  status: number,
  code: string,
  says: RegExp,
])[] = [
  ["malformed JSON", "/pub", '{"service":', 400, "FL_REQUEST_MALFORMED", /JSON/],
  ["an empty body", "/pub", "", 400, "FL_REQUEST_MALFORMED", /empty/i],
  ["bytes that are no UTF-8 text", "/pub", Uint8Array.of(0xff, 0xfe, 0), 400, "FL_REQUEST_MALFORMED", /JSON/],
  ["a prototype in JSON", "/pub", '{"__proto__":{"service":1}}', 400, "FL_REQUEST_MALFORMED", /prototype|JSON/],
  ["an array", "/pub", [], 400, "FL_REQUEST_INVALID", /body: .*expected object/],
  ["no service", "/pub", {}, 400, "FL_REQUEST_INVALID", /body\.service/],
  ["an unknown field of the body", "/pub", { service: orders, node: {} }, 400, "FL_REQUEST_INVALID", /node/],
  [
    "an unknown field of the service",
    "/pub",
    { service: { ...orders, color: "red" } },
    400,
    "FL_REQUEST_INVALID",
    /body\.service: .*color/,
  ],
  ["no port", "/pub", { service: { interface: "shop.Orders" } }, 400, "FL_REQUEST_INVALID", /body\.service\.port/],
  [
    "a port as text",
    "/pub",
    { service: { ...orders, port: "8080" } },
    400,
    "FL_REQUEST_INVALID",
    /body\.service\.port/,
  ],
  ["port 0", "/pub", { service: { ...orders, port: 0 } }, 400, "FL_REQUEST_INVALID", /body\.service\.port/],
  ["port 65536", "/pub", { service: { ...orders, port: 65_536 } }, 400, "FL_REQUEST_INVALID", /body\.service\.port/],
  ["half a port", "/pub", { service: { ...orders, port: 80.5 } }, 400, "FL_REQUEST_INVALID", /body\.service\.port/],
  [
    "an unknown protocol",
    "/pub",
    { service: { ...orders, protocol: "smtp" } },
    400,
    "FL_REQUEST_INVALID",
    /body\.service\.protocol/,
  ],
  [
    "an interface with a space",
    "/pub",
    { service: { ...orders, interface: "a b" } },
    400,
    "FL_REQUEST_INVALID",
    /an interface is/,
  ],
  [
    "an interface that is too long",
    "/pub",
    { service: { ...orders, interface: "a".repeat(254) } },
    400,
    "FL_REQUEST_INVALID",
    /an interface is/,
  ],
  ["weight 0", "/pub", { service: { ...orders, weight: 0 } }, 400, "FL_REQUEST_INVALID", /body\.service\.weight/],
  [
    "labels that are a list",
    "/pub",
    { service: { ...orders, labels: ["a"] } },
    400,
    "FL_REQUEST_INVALID",
    /body\.service\.labels/,
  ],
  [
    "more than 1000 methods",
    "/pub",
    { service: { ...orders, methods: Array(1001).fill("m") } },
    400,
    "FL_REQUEST_INVALID",
    /body\.service\.methods/,
  ],
  ["more than 1 MiB", "/pub", `{"service":"${"x".repeat(1024 * 1024)}"}`, 413, "FL_REQUEST_TOO_LARGE", /large/i],
  ["an unknown wait", "/pub?wait=forever", { service: orders }, 400, "FL_REQUEST_INVALID", /query\.wait/],
  ["a wait twice", "/pub?wait=converged&wait=converged", { service: orders }, 400, "FL_REQUEST_INVALID", /query\.wait/],
  [
    "a time-out without unit",
    "/pub?wait=converged&timeout=10",
    { service: orders },
    400,
    "FL_REQUEST_INVALID",
    /query\.timeout.*unit/,
  ],
  [
    "a time-out of an hour",
    "/unpub?wait=converged&timeout=60m",
    { service: orders },
    400,
    "FL_REQUEST_INVALID",
    /at most 5m/,
  ],
  ["an unknown query", "/sub?retry=1", { service: orders }, 400, "FL_REQUEST_INVALID", /retry/],
  ["/unpub without a service", "/unpub", { interface: "shop.Orders" }, 400, "FL_REQUEST_INVALID", /body/],
  ["/sub of nothing", "/sub", { service: { interface: "" } }, 400, "FL_REQUEST_INVALID", /an interface is/],
  ["/unsub of a number", "/unsub", { service: 1 }, 400, "FL_REQUEST_INVALID", /body\.service/],
];
for (const [what, path, body, status, code, says] of bad) {
  test(`${path} with ${what}: ${status} ${code}, and nothing is forwarded`, async () => {
    const answer = await ask(path, body);
    assert.deepEqual([answer.status, answer.body.code, answer.body.err_no], [status, code, 1]);
    assert.match(answer.body.err_msg ?? "", says);
    assert.notEqual(answer.body.action ?? "", "");
    assert.deepEqual(registry.requests, []);
  });
}

for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml"]) {
  test(`content-type ${type} is refused`, async () => {
    const answer = await ask("/pub", JSON.stringify({ service: orders }), { "content-type": type });
    assert.deepEqual([answer.status, answer.body.code, answer.body.err_no], [415, "FL_REQUEST_MEDIA_TYPE", 1]);
  });
}

test("a request that is no HTTP does not hurt", async () => {
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
    socket.end("\u0016\u0003\u0001 not http\r\n\r\n");
  });
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.equal((await ask("/v1/registrations")).status, 200);
});

test("with registry-sync down the call is refused and not kept; what was stored is", async () => {
  await ask("/pub", { service: orders });
  await registry.stop();
  const answer = await ask("/pub?wait=converged&timeout=1s", { service: { ...orders, port: 8081 } });
  assert.deepEqual([answer.status, answer.body.code, answer.body.err_no], [503, "FL_REGISTRY_UNAVAILABLE", 1]);
  assert.match(answer.body.err_msg ?? "", /ECONNREFUSED/);
  for (const path of ["/sub", "/unsub", "/unpub"]) {
    assert.equal((await ask(path, { service: orders })).body.code, "FL_REGISTRY_UNAVAILABLE", path);
  }
  const { body } = await ask("/v1/registrations");
  assert.deepEqual(
    body.publications?.map(({ state }) => state),
    ["ready"],
  );
  assert.deepEqual(body.subscriptions, []);
});

test("a refusal of registry-sync comes through with its status, code, facts and action", async () => {
  registry.reply = () => refusal(409, "FL_PROTOCOL_CONFLICT", "shop.Orders speaks grpc");
  const { status, body } = await ask("/pub", { service: orders });
  assert.deepEqual(
    [status, body.code, body.err_no, body.err_msg],
    [409, "FL_PROTOCOL_CONFLICT", 1, "shop.Orders speaks grpc"],
  );
  assert.deepEqual([body.action, body.facts?.why], ["see the test", "test"]);
});

test("FL_NOT_CONVERGED carries registry-sync's report, for /pub and /unpub alike", async () => {
  const report = {
    revision: 7,
    converged: false,
    proxies: 2,
    missing: [{ node: "caller-1", type: "eds", reason: "no ACK", sinceMs: 5 }],
    rejected: [],
  };
  registry.reply = ({ path }) => {
    if (!path.includes("wait=converged")) return undefined;
    const { body } = refusal(504, "FL_NOT_CONVERGED", "caller-1 is missing");
    return { status: 504, body: { ...Object(body), revision: 7, convergence: report } };
  };
  for (const path of ["/pub", "/unpub"]) {
    const { status, body } = await ask(`${path}?wait=converged`, { service: orders });
    assert.deepEqual([status, body.code, body.err_no, body.revision], [504, "FL_NOT_CONVERGED", 1, 7], path);
    assert.deepEqual(body.convergence, report);
  }
});

test("a sidecar that stops registers nothing any more, and still withdraws", async () => {
  await ask("/pub", { service: orders });
  registrations.beginStop();
  assert.deepEqual(
    [(await ask("/pub", { service: orders })).body.code, (await ask("/sub", { service: orders })).status],
    ["FL_SIDECAR_STOPPING", 503],
  );
  assert.equal((await ask("/unpub?wait=converged", { service: orders })).status, 200);
});

test("the caller's trace goes on in registry-sync", async () => {
  await ask(
    "/pub",
    { service: orders },
    { "content-type": "application/json", traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01" },
  );
  for (const { headers } of registry.requests)
    assert.match(String(headers["traceparent"]), /^00-0123456789abcdef0123456789abcdef-/);
});

test("health, readiness, metrics and the description of the API", async () => {
  assert.equal((await ask("/healthz")).status, 200);
  waitingFor = ["the outbound listener"];
  assert.equal((await ask("/readyz")).status, 503);
  waitingFor = [];
  assert.equal((await ask("/readyz")).status, 200);
  await ask("/pub", { service: orders });
  const metrics = await (await fetch(`${base}/metrics`)).text();
  assert.match(metrics, /fairlead_sidecar_registry_calls_total\{operation="publish",result="ok"\}/);
  assert.match(metrics, /fairlead_sidecar_publications\{state="ready"\} 1/);
  const description: { paths: object } = JSON.parse(await (await fetch(`${base}/openapi.json`)).text());
  assert.deepEqual(Object.keys(description.paths).toSorted(), [
    "/configs/application",
    "/pub",
    "/services/publish",
    "/services/subscribe",
    "/services/unpublish",
    "/services/unsubscribe",
    "/sub",
    "/unpub",
    "/unsub",
    "/v1/registrations",
  ]);
});

test("bodies of MOSN's dubbod are answered as it does, byte for byte, and mean the mesh's registry", async () => {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${base}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return [answer.status, await answer.text()];
  };
  const registryOf = { type: "zookeeper", addr: "127.0.0.1:2181" };
  const service = { interface: "com.test.cch", methods: ["GetUser", "GetProfile"], name: "UserService", group: "blue" };
  const body = { registry: registryOf, service };
  assert.deepEqual(await post("/pub", body), [200, '{"err_no":0,"err_msg":"publish success"}']);
  const [published] = registrations.report().publications;
  assert.deepEqual(
    [published?.service.protocol, published?.service.port, published?.service.group],
    ["dubbo", 20880, "blue"],
  );
  assert.deepEqual(await post("/sub", body), [200, '{"err_no":0,"err_msg":"subscribe success"}']);
  assert.deepEqual(await post("/unsub", body), [200, '{"err_no":0,"err_msg":"unsubscribe success"}']);
  assert.deepEqual(await post("/unpub", body), [200, '{"err_no":0,"err_msg":"unpub success"}']);
  const [status, text] = await post("/pub", { registry: registryOf, service: { interface: "a" } });
  assert.equal(status, 200);
  assert.match(String(text), /^\{"err_no":1,"err_msg":"service.methods: .*"\}$/);
});

test("a SOFA application is on the mesh by its registry's address", async () => {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${base}${path}`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: JSON.stringify(body),
    });
    return [answer.status, await answer.json()];
  };
  assert.deepEqual(await post("/configs/application", { appName: "orders" }), [200, { success: true }]);
  const serviceName = "com.alipay.Greeter:1.0:blue@DEFAULT";
  const meta = { protocol: "1", version: "4.0", serializeType: "hessian2", appName: "orders", properties: {} };
  const publish = { serviceName, protocolType: "bolt", port: "12201", providerMetaInfo: meta };
  assert.deepEqual(await post("/services/publish", publish), [200, { success: true }]);
  const [published] = registrations.report().publications;
  assert.deepEqual(
    [published?.service.interface, published?.service.protocol, published?.service.port, published?.service.group],
    ["com.alipay.Greeter", "bolt", 12201, "blue"],
  );
  assert.deepEqual(await post("/services/subscribe", { serviceName, properties: null }), [
    200,
    { success: true, serviceName, datas: ["127.0.0.1:12220"] },
  ]);
  assert.deepEqual(await post("/services/unsubscribe", { serviceName }), [200, { success: true }]);
  assert.deepEqual(await post("/services/unpublish", { serviceName }), [200, { success: true }]);
  const [status, refused] = await post("/services/publish", { ...publish, protocolType: "ws" });
  assert.deepEqual([status, (refused as { success: boolean }).success], [200, false]);
});
