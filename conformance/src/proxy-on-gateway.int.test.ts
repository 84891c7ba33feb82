import assert from "node:assert/strict";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { after, test } from "node:test";
import type { PolicyObject } from "@fairlead/model";
import { ProxyRuntime } from "@fairlead/proxy-runtime";
import { AdsClient } from "@fairlead/proxy-xds-client";
import { freePort, until } from "@fairlead/testing-basics";
import { GatewayMesh } from "./gateway-mesh.ts";

const nodeId = "sidecar~127.0.0.1~web~fairlead";
const orders = { interface: "shop.Orders", protocol: "http" } as const;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const servers: Server[] = [];

after(() => {
  for (const server of servers) server.close();
});

async function backend(name: string): Promise<{ readonly port: number; readonly seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming.headers);
    incoming.resume();
    response.end(`${name} ${incoming.url}`);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not bound");
  return { port: address.port, seen };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function call(port: number, path = "/", headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      headers: { host: "shop.Orders", ...headers },
    };
    const outgoing = request(options, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function policy(kind: PolicyObject["kind"], name: string, spec: string): PolicyObject {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec:\n${spec}`;
  return { kind, namespace: "default", name, file: `${name}.yaml`, line: 1, text };
}

class ProxyOnGateway implements AsyncDisposable {
  readonly mesh = new GatewayMesh();
  readonly runtime = new ProxyRuntime({ logger: quiet, nodeId, drainTimeoutMs: 500 });
  outboundPort = 0;
  #client: AdsClient | undefined;

  async start(variant: "delta" | "sotw"): Promise<void> {
    await this.mesh.start();
    this.outboundPort = await freePort();
    this.mesh.node({ id: nodeId, app: "web", address: "127.0.0.1", outboundPort: this.outboundPort, labels: {} });
    this.mesh.node({ id: "host", app: "orders", address: "127.0.0.1", labels: {} });
    this.mesh.service(orders);
    this.#client = new AdsClient({
      addresses: [`127.0.0.1:${this.mesh.grpcPort}`],
      node: { id: nodeId, cluster: "web", metadata: {}, version: "0" },
      consumer: this.runtime,
      logger: quiet,
      variant,
      backOff: { baseMs: 20, maxMs: 100 },
    });
  }

  connect(): void {
    this.#client?.start();
  }

  get state(): ReturnType<AdsClient["state"]> | undefined {
    return this.#client?.state();
  }

  instance(port: number, version: string): void {
    const labels: Record<string, string> = { version };
    this.mesh.instance({
      nodeId: "host",
      ...orders,
      port,
      version,
      group: "",
      methods: [],
      labels,
      weight: 100,
      state: "ready",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.stop();
    await this.runtime.close();
    await this.mesh.stop();
  }
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: a proxy follows the gateway through changes and its restart`, async () => {
    await using proxy = new ProxyOnGateway();
    await proxy.start(variant);
    const one = await backend("one");
    const two = await backend("two");
    proxy.instance(one.port, "v1");
    await proxy.mesh.commit();
    proxy.connect();
    const answers = async (): Promise<string> => {
      const bodies = await Promise.all(
        Array.from({ length: 6 }, () => call(proxy.outboundPort).catch(() => ({ body: "" }))),
      );
      return [...new Set(bodies.map(({ body }) => body))].toSorted().join();
    };
    await until("the first answer", async () => (await answers()) === "one /");
    proxy.instance(two.port, "v2");
    await proxy.mesh.commit();
    await until("both", async () => (await answers()) === "one /,two /");
    await proxy.mesh.acked(nodeId);
    await proxy.mesh.restartGateway();
    await proxy.mesh.commit();
    await until("the stream after a restart", () => proxy.state?.connected === true);
    proxy.mesh.withdraw({
      nodeId: "host",
      ...orders,
      port: one.port,
      version: "v1",
      group: "",
      methods: [],
      labels: {},
      weight: 100,
      state: "ready",
    });
    await proxy.mesh.commit();
    await until("one is gone", async () => (await answers()) === "two /");
    await proxy.mesh.acked(nodeId);
    assert.deepEqual(proxy.state?.types.filter(({ rejected }) => rejected > 0), []); // prettier-ignore
  });
}

const virtualService = policy(
  "VirtualService",
  "orders",
  `  hosts: [shop.Orders]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new, redirectCode: 302}
  - match: [{uri: {exact: /teapot}}]
    directResponse: {status: 418, body: {string: short and stout}}
  - match: [{uri: {prefix: /broken}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
    route: [{destination: {host: shop.Orders}}]
  - match: [{uri: {prefix: /api}, headers: {x-user: {regex: "u[0-9]+"}}}]
    rewrite: {uri: /v2}
    headers: {request: {set: {x-added: "yes"}, remove: [x-gone]}, response: {add: {x-out: "1"}}}
    retries: {attempts: 3, perTryTimeout: 2s, retryOn: "5xx,reset"}
    timeout: 5s
    corsPolicy: {allowOrigins: [{exact: "https://a.example"}], allowMethods: [GET], maxAge: 60s}
    mirror: {host: shop.Orders, subset: v2}
    mirrorPercentage: {value: 100}
    route: [{destination: {host: shop.Orders, subset: v1}}]
  - route:
    - {destination: {host: shop.Orders, subset: v1}, weight: 50}
    - {destination: {host: shop.Orders, subset: v2}, weight: 50}
`,
);
const destinationRule = policy(
  "DestinationRule",
  "orders",
  `  host: shop.Orders
  trafficPolicy:
    loadBalancer: {consistentHash: {httpHeaderName: x-user}}
    connectionPool:
      tcp: {maxConnections: 100, connectTimeout: 1s}
      http: {http1MaxPendingRequests: 50, http2MaxRequests: 60, maxRetries: 2, idleTimeout: 3s, maxRequestsPerConnection: 10}
    outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 1s, maxEjectionPercent: 50}
  subsets:
  - {name: v1, labels: {version: v1}}
  - name: v2
    labels: {version: v2}
    trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST, warmupDurationSecs: 5s}}
`,
);

test("what policies of Istio's kind are compiled to is accepted and done", async () => {
  await using proxy = new ProxyOnGateway();
  await proxy.start("delta");
  const one = await backend("one");
  const two = await backend("two");
  proxy.instance(one.port, "v1");
  proxy.instance(two.port, "v2");
  proxy.mesh.policy(virtualService);
  proxy.mesh.policy(destinationRule);
  await proxy.mesh.commit();
  proxy.connect();
  await until(
    "all types ACKed",
    async () => (await call(proxy.outboundPort, "/teapot").catch(() => undefined))?.status === 418,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(proxy.state?.types)}`);
  });
  await proxy.mesh.acked(nodeId);
  const port = proxy.outboundPort;
  const redirected = await call(port, "/old/x");
  assert.deepEqual([redirected.status, redirected.headers.location], [302, "http://shop.Orders/new"]);
  assert.equal((await call(port, "/teapot")).body, "short and stout");
  const broken = await call(port, "/broken");
  assert.deepEqual([broken.status, broken.body], [555, "fault filter abort"]);
  const api = await call(port, "/api/1", { "x-user": "u1", "x-gone": "1", origin: "https://a.example" });
  assert.deepEqual([api.status, api.body, api.headers["x-out"]], [200, "one /v2/1", "1"]);
  assert.equal(api.headers["access-control-allow-origin"], "https://a.example");
  assert.deepEqual([one.seen.at(-1)?.["x-added"], one.seen.at(-1)?.["x-gone"]], ["yes", undefined]);
  await until("the copy", () => two.seen.some((headers) => headers.host === "shop.Orders-shadow"));
  const preflight = await call(
    port,
    "/api/1",
    { "x-user": "u1", origin: "https://a.example", "access-control-request-method": "GET" },
    "OPTIONS",
  );
  assert.deepEqual([preflight.status, preflight.headers["access-control-max-age"]], [200, "60"]);
  const bodies = await Promise.all(Array.from({ length: 30 }, () => call(port)));
  assert.deepEqual([...new Set(bodies.map(({ body }) => body))].toSorted(), ["one /", "two /"]);
});
