import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request as httpRequest, type Server } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort, until } from "@fairlead/testing-basics";
import { requireCommand } from "@fairlead/testing-servers";
import { MeshProcesses, ServiceProcess } from "./mesh-processes.ts";

const folder = mkdtempSync(join(tmpdir(), "fairlead-edge-"));
const [chain, key, accessLog] = [join(folder, "chain.pem"), join(folder, "key.pem"), join(folder, "access.log")];

let mesh: MeshProcesses;
let edge: ServiceProcess;
let admin: string;
const ports = { plain: 0, redirects: 0, tls: 0 };
let application: Server;
/** Requests that the application has not answered yet. */
const slow: (() => void)[] = [];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A call from outside of the mesh. */
async function call(url: string, host: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const secure = url.startsWith("https:");
  const options = {
    agent: false as const,
    headers: { host },
    ...(secure ? { ca: readFileSync(chain), servername: host } : {}),
  };
  const outgoing = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
    let body = "";
    response.on("data", (chunk: Buffer) => (body += chunk.toString()));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    response.on("error", reject);
  });
  outgoing.on("error", reject);
  outgoing.end();
  return await promise;
}

async function apply(yaml: string): Promise<void> {
  const response = await fetch(`${mesh.registryUrl}/v1/policies?wait=converged&timeout=20s`, {
    method: "PUT",
    headers: { "content-type": "application/yaml" },
    body: yaml,
  });
  assert.equal(response.status, 200, await response.text());
}

function policies(): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { app: edge-gateway }
  servers:
    - port: { number: ${ports.plain}, name: plain, protocol: HTTP }
      hosts: [shop.example]
    - port: { number: ${ports.redirects}, name: redirects, protocol: HTTP }
      hosts: [shop.example]
      tls: { httpsRedirect: true }
    - port: { number: ${ports.tls}, name: tls, protocol: HTTPS }
      hosts: [shop.example]
      tls: { mode: SIMPLE, serverCertificate: ${chain}, privateKey: ${key} }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
    - match: [{ uri: { prefix: /orders } }]
      rewrite: { uri: / }
      route: [{ destination: { host: shop.Orders } }]
`;
}

before(async () => {
  const openssl = await requireCommand("openssl", "openssl");
  execFileSync(openssl, [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=shop.example -addext subjectAltName=DNS:shop.example".split(" "),
    "-keyout", key, "-out", chain,
  ], { stdio: "pipe" }); // prettier-ignore
  for (const name of ["plain", "redirects", "tls"] as const) ports[name] = await freePort();
  mesh = await MeshProcesses.start({ gateways: 1, compilers: 1 });
  application = createServer((incoming, response) => {
    const answer = () => response.end(`orders ${incoming.url ?? ""} ${String(incoming.headers["x-forwarded-proto"])}`);
    if (incoming.url?.includes("slow") === true) slow.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));
  const provider = await mesh.sidecar("orders");
  const { port } = application.address() as { port: number };
  const published = await fetch(`${provider.api}/pub?wait=converged&timeout=20s`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service: { interface: "shop.Orders", protocol: "http", port } }),
  });
  assert.equal(published.status, 200, await published.text());
  const adminPort = await freePort();
  admin = `http://127.0.0.1:${adminPort}`;
  edge = new ServiceProcess("edge-gateway", {
    FAIRLEAD_ADMIN_PORT: String(adminPort),
    FAIRLEAD_REGISTRY_URL: mesh.registryUrl,
    FAIRLEAD_ADS_ADDRESS: mesh.gateways[0]!.grpcAddress,
    FAIRLEAD_ACCESS_LOG: `file:${accessLog}`,
  });
  edge.start();
  await mesh.ready(`${admin}/ready`, edge);
  await until("the gateway is registered", async () => /edge-gateway/.test(await nodes()));
  await apply(policies());
});

after(async () => {
  await edge?.stop("SIGKILL");
  await mesh?.stop();
  application?.close();
  application?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

const logged = (): string => (existsSync(accessLog) ? readFileSync(accessLog, "utf8") : "");
const nodes = async (): Promise<string> => await (await fetch(`${mesh.registryUrl}/v1/nodes`)).text();

test("a call from outside reaches the service that the VirtualService names, and no other", async () => {
  const answer = await call(`http://127.0.0.1:${ports.plain}/orders`, "shop.example");
  assert.deepEqual([answer.status, answer.body], [200, "orders / http"]);
  assert.equal((await call(`http://127.0.0.1:${ports.plain}/else`, "shop.example")).status, 404);
  assert.equal((await call(`http://127.0.0.1:${ports.plain}/orders`, "shop.Orders")).status, 404);
});

test("a port that redirects sends to https", async () => {
  const { status, headers } = await call(`http://127.0.0.1:${ports.redirects}/orders?a=1`, "shop.example");
  assert.deepEqual([status, headers.location], [301, "https://shop.example/orders?a=1"]);
});

test("TLS ends at the gateway, with the certificate of the Gateway's files", async () => {
  const { status, body } = await call(`https://127.0.0.1:${ports.tls}/orders`, "shop.example");
  assert.deepEqual([status, body], [200, "orders / https"]);
});

test("admin pages and the access log tell of it", async () => {
  const text = async (path: string): Promise<string> => await (await fetch(`${admin}${path}`)).text();
  const listeners = await text("/listeners");
  for (const port of Object.values(ports))
    assert.match(listeners, new RegExp(`^gateway\\|${port}::127.0.0.1:${port}$`, "m"));
  const dump = await text("/config_dump");
  assert.match(dump, /shop\.example/);
  assert.doesNotMatch(dump, /BEGIN/);
  assert.match(await text("/clusters"), /^outbound\|http\|\|shop\.Orders::127\.0\.0\.1:\d+::rq_total::[1-9]/m);
  await until("the log", async () => /"GET \/orders HTTP\/1\.1" 200 - 0 \d+ \d+ .* "shop\.example"/.test(logged()));
});

test("after a rotation the access log goes on in the new file", async () => {
  renameSync(accessLog, `${accessLog}.1`);
  assert.equal((await fetch(`${admin}/reopen_logs`, { method: "POST" })).status, 200);
  await until("a line in the new file", async () => {
    await call(`http://127.0.0.1:${ports.plain}/orders`, "shop.example");
    return /"GET \/orders HTTP\/1\.1" 200/.test(logged());
  });
});

test("at a stop calls under way are served, and the node is gone from the mesh", async () => {
  const pending = call(`http://127.0.0.1:${ports.plain}/orders/slow`, "shop.example");
  await until("the call at the application", async () => slow.length === 1);
  const stopped = edge.stop("SIGTERM");
  await until("no more calls are taken", async () =>
    call(`http://127.0.0.1:${ports.plain}/orders`, "shop.example").then(
      () => false,
      () => true,
    ),
  );
  for (const answer of slow.splice(0)) answer();
  assert.equal((await pending).status, 200);
  await stopped;
  assert.doesNotMatch(await nodes(), /edge-gateway/);
});
