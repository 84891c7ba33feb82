import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, request, type Server } from "node:http";
import { after, before, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { MeshProcesses, type SidecarProcess } from "./mesh-processes.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";

const otlp = new OtlpReceiver();
let mesh: MeshProcesses;
let caller: SidecarProcess;
let provider: SidecarProcess;
const apps: Server[] = [];

async function startApp(name: string): Promise<number> {
  const server = createServer((_request, response) => response.end(name));
  apps.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

interface Answer {
  readonly status: number;
  readonly body: {
    err_no?: number;
    code?: string;
    revision?: number;
    convergence?: { converged: boolean; missing: { reason: string }[] };
  };
}

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** One call through the caller's sidecar. */
async function call(host: string): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(`${caller.outbound}/`, { headers: { host } }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on("error", reject);
    outgoing.setTimeout(5000, () => outgoing.destroy(new Error("no answer within 5 s")));
    outgoing.end();
  });
}

/** Calls `host` one after the other until stopped; counts what did not get a 200. */
function constantLoad(host: string): { stop(): Promise<{ calls: number; failures: string[] }> } {
  const stop = new AbortController();
  let calls = 0;
  const failures: string[] = [];
  const loop = (async () => {
    while (!stop.signal.aborted) {
      calls += 1;
      const outcome = await call(host).catch((error: unknown) => ({ status: 0, body: String(error) }));
      if (outcome.status !== 200) failures.push(`${outcome.status} ${outcome.body}`);
    }
  })();
  return {
    async stop() {
      stop.abort();
      await loop;
      return { calls, failures };
    },
  };
}

async function publish(service: string, port: number, headers: Record<string, string> = {}): Promise<Answer> {
  return await post(
    `${provider.api}/pub?wait=converged&timeout=20s`,
    { service: { interface: service, protocol: "http", port } },
    headers,
  );
}

before(async () => {
  const endpoint = await otlp.start();
  mesh = await MeshProcesses.start({ gateways: 2, compilers: 2, environment: { FAIRLEAD_OTLP_ENDPOINT: endpoint } });
  caller = await mesh.sidecar("caller", 0);
  provider = await mesh.sidecar("provider", 1);
});

after(async () => {
  await mesh?.stop();
  for (const app of apps) app.close();
  await otlp.stop();
});

test("a publication through one gateway is callable through a proxy of the other once it answers", async () => {
  const port = await startApp("orders");
  const { status, body } = await publish("shop.Orders", port);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.convergence?.converged, true);
  assert.deepEqual(await call("shop.Orders"), { status: 200, body: "orders" });
});

test("one trace spans /pub, the store, the compile, each push and its ACK, across processes and the bus", async () => {
  const traceId = randomBytes(16).toString("hex");
  const port = await startApp("traced");
  const { body } = await publish("shop.Traced", port, {
    traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-01`,
  });
  assert.equal(body.convergence?.converged, true);
  const wanted = ["POST /pub", "config.compile", "config.commit", "ads.push"];
  // Each process sends its spans in its own time: a push may be there before the span that it hangs below.
  await until(
    "spans of every step in one trace, each push below another span of it",
    async () => {
      const mine = otlp.spans.filter((span) => span.traceId === traceId);
      const ids = new Set(mine.map((span) => span.spanId));
      const pushes = mine.filter(({ name }) => name === "ads.push");
      return (
        wanted.every((name) => mine.some((span) => span.name === name)) &&
        pushes.every(({ parentSpanId }) => ids.has(parentSpanId))
      );
    },
    20_000,
  );
});

test("losing NATS: calls go on, a publication is stored, and arrives when NATS is back", async () => {
  const load = constantLoad("shop.Orders");
  await mesh.nats.kill();
  const port = await startApp("late");
  const stored = await post(`${provider.api}/pub`, { service: { interface: "shop.Late", protocol: "http", port } });
  assert.equal(stored.body.err_no, 0, JSON.stringify(stored.body));
  await mesh.nats.restart();
  await until(
    "the publication made without NATS is callable",
    async () => (await call("shop.Late")).status === 200,
    40_000,
  );
  const { calls, failures } = await load.stop();
  assert.ok(calls > 100);
  assert.deepEqual(failures, []);
});

test("NATS with its data wiped: no proxy loses its configuration, and changes arrive again", async () => {
  const load = constantLoad("shop.Orders");
  await mesh.nats.kill();
  await mesh.nats.restart({ wipe: true });
  const port = await startApp("after-wipe");
  await until("a publication converges", async () => (await publish("shop.AfterWipe", port)).status === 200, 60_000);
  assert.equal((await call("shop.AfterWipe")).body, "after-wipe");
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
});

test("losing PostgreSQL: a clear refusal, traffic goes on, nothing is lost", async () => {
  const load = constantLoad("shop.Orders");
  await mesh.postgres.kill();
  const refused = await post(`${mesh.registryUrl}/pub`, {
    service: { interface: "shop.Refused", port: 1 },
    node: { id: "n1", app: "x", address: "127.0.0.1" },
  });
  assert.equal(refused.status, 503);
  assert.equal(refused.body.code, "FL_STORE_UNAVAILABLE");
  await mesh.postgres.restart();
  const port = await startApp("after-postgres");
  await until(
    "a publication converges",
    async () => (await publish("shop.AfterPostgres", port)).status === 200,
    60_000,
  );
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.equal((await call("shop.Late")).status, 200);
});

test("the active compiler dies: the standby takes over", async () => {
  for (const compiler of mesh.compilers) {
    await compiler.stop("SIGKILL");
    const port = await startApp("taken-over");
    await until("a publication converges", async () => (await publish("shop.TakenOver", port)).status === 200, 60_000);
    compiler.start();
  }
});

test("registry-sync restarts: registrations stay, and their leases are renewed", async () => {
  const load = constantLoad("shop.Orders");
  await mesh.registry.stop("SIGKILL");
  mesh.registry.start();
  await mesh.ready(`${mesh.registryUrl}/readyz`, mesh.registry);
  const port = await startApp("after-registry");
  await until(
    "a publication converges",
    async () => (await publish("shop.AfterRegistry", port)).status === 200,
    60_000,
  );
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
});
