import assert from "node:assert/strict";
import { request } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { createLogger } from "@fairlead/logging";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";
import { startTelemetry, type Telemetry } from "@fairlead/telemetry";
import { freePort, until } from "@fairlead/testing-basics";
import { createSidecar, type Sidecar, sidecarConfig } from "./module.ts";
import { edsCluster, endpoints, inboundCluster, listener, routes } from "./testing/scripted-config.ts";
import { type RegistryRequest, ScriptedRegistry } from "./testing/scripted-registry.ts";
import { TestApp } from "./testing/test-app.ts";

const service = "shop.Orders";
const outboundName = `outbound|http||${service}`;

let telemetry: Telemetry;
let registry: ScriptedRegistry;
let app: TestApp;
/** The gateway of the caller, and the one of the provider. */
let callerAds: ScriptedAdsServer;
let providerAds: ScriptedAdsServer;
let caller: Sidecar;
let provider: Sidecar;
let outboundPort = 0;
let inboundPort = 0;
let version = 0;

async function startSidecar(name: string, ads: ScriptedAdsServer, more: Record<string, string> = {}): Promise<Sidecar> {
  const config = sidecarConfig.load({
    FAIRLEAD_APP: name,
    FAIRLEAD_NODE_ID: `sidecar~127.0.0.1~${name}~fairlead`,
    FAIRLEAD_API_PORT: "0",
    FAIRLEAD_ADMIN_PORT: "0",
    FAIRLEAD_OUTBOUND_PORT: String(await freePort()),
    FAIRLEAD_INBOUND_PORT: String(await freePort()),
    FAIRLEAD_REGISTRY_URL: registry.url,
    FAIRLEAD_ADS_ADDRESS: ads.address,
    FAIRLEAD_ADS_VARIANT: "sotw",
    FAIRLEAD_DRAIN_TIMEOUT: "5s",
    ...more,
  });
  const sidecar = createSidecar(config, {
    logger: createLogger({ service: name, level: process.env["TEST_LOG_LEVEL"] ?? "silent" }),
    telemetry,
  });
  await sidecar.start();
  return sidecar;
}

/** What the compiler would do with the registry's changes. */
function compile({ path, body, method }: RegistryRequest): void {
  const next = `v${(version += 1)}`;
  const { state } = body;
  if (path.startsWith("/pub") && state === "warming") {
    providerAds.set(typeUrls.cluster, next, [inboundCluster(app.port)]);
    providerAds.set(typeUrls.route, next, [
      routes("inbound", { [service]: `inbound|${app.port}` }),
      routes("outbound", {}),
    ]);
  } else if (path.startsWith("/v1/instances/state")) {
    callerAds.set(typeUrls.endpoint, next, [endpoints(outboundName, state === "ready" ? [inboundPort] : [])]);
  } else if (path.startsWith("/unpub") || (method === "DELETE" && path.includes("provider"))) {
    providerAds.set(typeUrls.cluster, next, []);
    providerAds.set(typeUrls.route, next, [routes("inbound", {}), routes("outbound", {})]);
  }
}

before(() => {
  telemetry = startTelemetry({ service: "test" });
});
after(async () => await telemetry.shutdown());
beforeEach(async () => {
  registry = new ScriptedRegistry();
  callerAds = new ScriptedAdsServer();
  providerAds = new ScriptedAdsServer();
  app = new TestApp("orders");
  await Promise.all([registry.start(), callerAds.start(), providerAds.start(), app.start()]);
  caller = await startSidecar("caller", callerAds);
  provider = await startSidecar("provider", providerAds);
  outboundPort = caller.node.outboundPort ?? 0;
  inboundPort = provider.node.inboundPort ?? 0;
  callerAds.set(typeUrls.cluster, "0", [edsCluster(outboundName)]);
  callerAds.set(typeUrls.endpoint, "0", [endpoints(outboundName, [])]);
  callerAds.set(typeUrls.listener, "0", [listener("outbound", outboundPort)]);
  callerAds.set(typeUrls.route, "0", [routes("outbound", { [service]: outboundName })]);
  providerAds.set(typeUrls.cluster, "0", []);
  providerAds.set(typeUrls.listener, "0", [
    listener("outbound", provider.node.outboundPort ?? 0),
    listener("inbound", inboundPort),
  ]);
  providerAds.set(typeUrls.route, "0", [routes("outbound", {}), routes("inbound", {})]);
  registry.stored = compile;
  await until("both sidecars ready", () => caller.waitingFor().length + provider.waitingFor().length === 0);
});
afterEach(async () => {
  app.finishSlow();
  await Promise.all([caller.stop(), provider.stop()]);
  callerAds.stop();
  providerAds.stop();
  app.stop();
  await registry.stop();
});

interface ApiAnswer {
  readonly status: number;
  readonly body: {
    readonly err_no?: number;
    readonly code?: string;
    readonly err_msg?: string;
    readonly publications?: { readonly state: string; readonly waitingFor: string }[];
  };
}
async function api(path: string, body?: object): Promise<ApiAnswer> {
  const init =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${provider.apiPort}${path}`, init);
  const answer: ApiAnswer["body"] = JSON.parse(await response.text());
  return { status: response.status, body: answer };
}
const publish = async (query = "?wait=converged&timeout=5s") =>
  await api(`/pub${query}`, { service: { interface: service, port: app.port } });
const withdraw = async (query = "?wait=converged&timeout=5s") =>
  await api(`/unpub${query}`, { service: { interface: service } });

/** One call of the caller's application through its sidecar. */
async function call(path = "/", host = service): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port: outboundPort, path, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (bytes: Buffer) => (text += bytes.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${text}`));
    });
    outgoing.on("error", reject);
    outgoing.setTimeout(5000, () => outgoing.destroy(new Error("no answer within 5 s")));
    outgoing.end();
  });
}

test("app → outbound of A → inbound of B → app, from the moment that /pub answers", async () => {
  assert.match(await call(), /^503 /);
  const { status, body } = await publish();
  assert.deepEqual([status, body.err_no, body.err_msg], [200, 0, "publish success"]);
  await until("the caller's proxy has the endpoint", async () => (await call()) === "200 orders");
  assert.match(await call("/", "shop.Nobody"), /^404 /);
  assert.deepEqual(
    registry.log().filter((line) => line.includes(service)),
    [`POST /pub ${service} warming`, `POST /v1/instances/state ${service} ready`],
  );
});

test("it becomes ready only when its own inbound listener serves it", async () => {
  registry.stored = () => undefined;
  const late = await publish("?wait=converged&timeout=300ms");
  assert.deepEqual([late.status, late.body.code], [504, "FL_NOT_CONVERGED"]);
  assert.match(late.body.err_msg ?? "", /inbound listener/);
  assert.equal((await api("/v1/registrations")).body.publications?.[0]?.state, "warming");
  assert.ok(!registry.log().some((line) => line.endsWith("ready")));
  compile({ method: "POST", path: "/pub", body: { state: "warming" }, headers: {} });
  await registry.waitFor("ready", ({ body }) => body["state"] === "ready");
});

test("a call that is under way is waited for before a publication is deleted", async () => {
  await publish();
  await until("callable", async () => (await call()) === "200 orders");
  const slow = call("/slow");
  await until("the slow call is in the application", () => app.waiting === 1);
  const withdrawn = withdraw();
  await registry.waitFor("draining", ({ body }) => body["state"] === "draining");
  await until("the caller's proxy sends no new calls", async () => (await call()).startsWith("503 "));
  assert.ok(
    !registry.log().some((line) => line.startsWith("POST /unpub")),
    "it is not deleted while a call is under way",
  );
  app.finishSlow();
  assert.equal(await slow, "200 orders slowly");
  assert.equal((await withdrawn).status, 200);
  assert.ok(registry.log().includes(`POST /unpub ${service}`));
  assert.deepEqual((await api("/v1/registrations")).body.publications, []);
});

test("without its control plane the data plane goes on, and comes back to it", async () => {
  await publish();
  await until("callable", async () => (await call()) === "200 orders");
  callerAds.stop();
  providerAds.stop();
  await registry.stop();
  for (let count = 0; count < 20; count += 1) assert.equal(await call(), "200 orders");
  const refused = await api("/pub", { service: { interface: "shop.Other", port: 1 } });
  assert.deepEqual([refused.status, refused.body.code], [503, "FL_REGISTRY_UNAVAILABLE"]);
  await Promise.all([registry.start(), callerAds.start(), providerAds.start()]);
  callerAds.set(typeUrls.route, "back", [routes("outbound", { "shop.Back": outboundName })]);
  await until("the new routes are in force", async () => (await call()).startsWith("404 "));
  callerAds.set(typeUrls.route, "again", [routes("outbound", { [service]: outboundName })]);
  await callerAds.waitFor("the ACK", ({ version: acked }) => acked === "again");
  assert.equal(await call(), "200 orders");
});

test("a node that registry-sync lost is registered again with what it had", async () => {
  await provider.stop();
  provider = await startSidecar("provider", providerAds, {
    FAIRLEAD_LEASE_TTL: "300ms",
    FAIRLEAD_INBOUND_PORT: String(inboundPort),
    FAIRLEAD_OUTBOUND_PORT: String(provider.node.outboundPort),
  });
  registry.leaseTtlMs = 300;
  await publish();
  await api("/sub", { service: { interface: "shop.Catalog" } });
  registry.requests.splice(0);
  let lost = true;
  registry.reply = ({ path, body }) => {
    const isProvider = JSON.stringify(body).includes("~provider~");
    if (!lost || !isProvider || !path.startsWith("/v1/leases")) return undefined;
    lost = false;
    return { status: 404, body: { err_no: 1, code: "FL_NODE_UNKNOWN", message: "unknown", action: "", facts: {} } };
  };
  await registry.waitFor("ready again", ({ body }) => body["state"] === "ready");
  const lines = registry.log().filter((line) => !line.startsWith("POST /v1/leases"));
  assert.deepEqual(lines, [
    "POST /v1/nodes",
    "POST /sub shop.Catalog",
    `POST /pub ${service} warming`,
    `POST /v1/instances/state ${service} ready`,
  ]);
});

test("stop withdraws everything, waits for calls under way, and removes the node", async () => {
  await publish();
  await until("callable", async () => (await call()) === "200 orders");
  const slow = call("/slow");
  await until("the slow call is in the application", () => app.waiting === 1);
  const admin = `http://127.0.0.1:${provider.adminPort}`;
  const stopped = provider.stop();
  await registry.waitFor("draining", ({ body }) => body["state"] === "draining");
  assert.match(await (await fetch(`${admin}/ready`)).text(), /^DRAINING/);
  app.finishSlow();
  assert.equal(await slow, "200 orders slowly");
  await stopped;
  assert.deepEqual(
    registry.log().filter((line) => line.includes("unpub") || line.startsWith("DELETE")),
    [`POST /unpub ${service}`, "DELETE /v1/nodes/sidecar~127.0.0.1~provider~fairlead"],
  );
  await assert.rejects(fetch(`${admin}/ready`));
});

test("stop is bounded when a call does not end and registry-sync is away", async () => {
  await provider.stop();
  const ports = {
    FAIRLEAD_INBOUND_PORT: String(inboundPort),
    FAIRLEAD_OUTBOUND_PORT: String(provider.node.outboundPort),
  };
  provider = await startSidecar("provider", providerAds, { ...ports, FAIRLEAD_DRAIN_TIMEOUT: "500ms" });
  await until("ready", () => provider.waitingFor().length === 0);
  await publish();
  await until("callable", async () => (await call()) === "200 orders");
  const slow = call("/slow").catch((error: unknown) => String(error));
  await until("the slow call is in the application", () => app.waiting === 1);
  await registry.stop();
  const begun = Date.now();
  await provider.stop();
  assert.ok(Date.now() - begun < 4000, `it took ${Date.now() - begun} ms`);
  app.finishSlow();
  await slow;
});

test("the admin pages show the live proxy", async () => {
  await publish();
  await until("callable", async () => (await call()) === "200 orders");
  const admin = `http://127.0.0.1:${caller.adminPort}`;
  const text = async (path: string) => await (await fetch(`${admin}${path}`)).text();
  assert.equal(await text("/ready"), "LIVE\n");
  assert.match(await text("/listeners"), new RegExp(`^outbound::127.0.0.1:${outboundPort}$`, "m"));
  assert.match(await text("/stats"), /^control_plane\.connected_state: 1$/m);
  assert.match(await text("/stats"), /^cluster_manager\.cds\.update_rejected: 0$/m);
  assert.match(await text("/clusters"), new RegExp(`127.0.0.1:${inboundPort}`));
  assert.match(await text("/config_dump"), /shop\.Orders/);
  assert.match(await text("/stats/prometheus"), /fairlead_ads_connected/);
});

test("a port that is taken fails the start and leaves nothing behind", async () => {
  await assert.rejects(startSidecar("third", callerAds, { FAIRLEAD_API_PORT: String(caller.apiPort) }), {
    code: "FL_LISTEN_FAILED",
  });
  assert.ok(!registry.log().some((line) => line.includes("third")));
});
