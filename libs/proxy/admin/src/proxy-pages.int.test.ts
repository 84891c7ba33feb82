import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { browserRefusal, errorAnswer } from "@fairlead/http-api";
import { createLogger } from "@fairlead/logging";
import type { AdsState } from "@fairlead/proxy-xds-client";
import { AdminServer } from "./admin-server.ts";
import { proxyPages } from "./proxy-pages.ts";
import type { ServerState } from "./server-stats.ts";

const ads: AdsState = {
  connected: true,
  address: "127.0.0.1:15010",
  lastConnectedAtMs: 1,
  lastError: undefined,
  phase: "initialized",
  types: [
    {
      type: "cds",
      names: undefined,
      version: "v1",
      nonce: "n1",
      updatedAtMs: 1,
      requests: 3,
      accepted: 2,
      rejected: 1,
      failures: 0,
      initialFetchTimeouts: 0,
      lastNack: undefined,
    },
    {
      type: "rds",
      names: ["outbound"],
      version: "v2",
      nonce: "n2",
      updatedAtMs: 1,
      requests: 1,
      accepted: 1,
      rejected: 0,
      failures: 0,
      initialFetchTimeouts: 0,
      lastNack: undefined,
    },
  ],
};
const logger = createLogger({ service: "test", level: "silent" });
const manners = { refusalOf: browserRefusal, answerOf: errorAnswer, onFailure: () => undefined };
const outbound = { name: "outbound", address: "127.0.0.1", port: 15001, state: "active", activeRequests: 0 } as const;
const runtime = {
  configDump: () => [],
  clusterStats: () => [
    {
      name: "outbound|http||shop.Orders",
      statName: "outbound|http||shop.Orders",
      hosts: [
        {
          address: "[::1]:8080",
          hostname: "orders-1",
          priority: 0,
          locality: "eu/a/",
          weight: 2,
          health: "unhealthy",
          ejected: true,
          failedCheck: false,
          activeRequests: 1,
          totalRequests: 9,
          connections: 3,
          idleConnections: 2,
        } as const,
      ],
      stats: { upstream_rq_total: 9 },
    },
  ],
  stats: () =>
    new Map([
      ["http.outbound.downstream_rq_total", 7],
      ["http.outbound.downstream_rq_5xx", 0],
      ["cluster.outbound|http||shop.Orders.upstream_rq_503", 2],
      ["cluster.outbound|http||shop.Orders.circuit_breakers.default.cx_open", 1],
    ]),
  listeners: () => [outbound],
};
let state: ServerState = "LIVE";
const drained: boolean[] = [];
const failedHealth: boolean[] = [];
let quit = 0;
let server: AdminServer;
let base: string;

before(async () => {
  server = new AdminServer(
    {
      ...proxyPages({
        program: "sidecar",
        node: { id: "orders-1", app: "orders", labels: {} },
        version: "1.2.3",
        runtime,
        ads: () => ads,
        state: () => state,
        waitingFor: () => ["the outbound listener"],
        logger,
        serveMetrics: (_request, response) => response.end("a_metric 1\n"),
        drain: (graceful) => void drained.push(graceful),
        failHealthCheck: (failed) => void failedHealth.push(failed),
        quit: () => (quit += 1),
      }),
      "/broken": {
        method: "GET",
        help: "fails",
        show: () => {
          throw new Error("inside");
        },
      },
    },
    manners,
  );
  base = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
});
after(async () => await server.close());

async function get(path: string, init: RequestInit = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${base}${path}`, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}
const post = async (path: string, headers: Record<string, string> = {}) => await get(path, { method: "POST", headers });

test("/ready says what is waited for", async () => {
  const live = await get("/ready");
  assert.deepEqual([live.status, live.text], [200, "LIVE\n"]);
  state = "INITIALIZING";
  const waiting = await get("/ready");
  assert.deepEqual([waiting.status, waiting.text], [503, "INITIALIZING\nthe outbound listener\n"]);
  state = "LIVE";
});

test("/memory and /certs answer", async () => {
  const memory: { allocated: string } = JSON.parse((await get("/memory")).text);
  assert.ok(Number(memory.allocated) > 0);
  assert.deepEqual(JSON.parse((await get("/certs")).text), { certificates: [] });
  assert.equal((await get("/reset_counters")).status, 405);
});

test("/server_info and /listeners", async () => {
  const info: { version: string; node: { id: string } } = JSON.parse((await get("/server_info")).text);
  assert.deepEqual([info.version, info.node.id], ["fairlead/1.2.3", "orders-1"]);
  assert.equal((await get("/listeners")).text, "outbound::127.0.0.1:15001\n");
});

test("/clusters is Envoy's text, or JSON", async () => {
  const name = "outbound|http||shop.Orders";
  const { text } = await get("/clusters");
  for (const line of [
    "cx_active::3",
    "rq_total::9",
    "hostname::orders-1",
    "health_flags::/failed_outlier_check",
    "weight::2",
    "region::eu",
    "zone::a",
  ])
    assert.ok(text.split("\n").includes(`${name}::[::1]:8080::${line}`), `${line} in\n${text}`);
  const json: { cluster_statuses: object[] } = JSON.parse((await get("/clusters?format=json")).text);
  assert.partialDeepStrictEqual(json.cluster_statuses, [
    {
      name,
      observability_name: name,
      host_statuses: [
        {
          address: { socket_address: { address: "::1", port_value: 8080 } },
          health_status: { eds_health_status: "UNHEALTHY", failed_outlier_check: true },
          locality: { region: "eu", zone: "a", sub_zone: "" },
        },
      ],
    },
  ]);
});

test("/init_dump says what the start waits for", async () => {
  assert.deepEqual(JSON.parse((await get("/init_dump")).text), {
    unready_targets_dumps: [{ name: "server", target_names: ["the outbound listener"] }],
  });
});

test("/stats can be filtered, and has Envoy's tags for Prometheus", async () => {
  assert.equal((await get("/stats?filter=^http\\..*rq&usedonly")).text, "http.outbound.downstream_rq_total: 7\n");
  assert.match((await get("/stats?filter=(")).text, /FL_REQUEST_INVALID/);
  const { text } = await get("/stats/prometheus?filter=^(http|cluster)\\.");
  assert.doesNotMatch(text, /envoy_cluster_manager/);
  for (const line of [
    "# TYPE envoy_http_downstream_rq_total counter",
    'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="outbound"} 7',
    'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix="outbound",envoy_response_code_class="5"} 0',
    'envoy_cluster_upstream_rq{envoy_cluster_name="outbound|http||shop.Orders",envoy_response_code="503"} 2',
    'envoy_cluster_circuit_breakers_default_cx_open{envoy_cluster_name="outbound|http||shop.Orders"} 1',
    "# TYPE envoy_cluster_circuit_breakers_default_cx_open gauge",
    "a_metric 1",
  ])
    assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
});

test("/stats has Envoy's names", async () => {
  const { text } = await get("/stats");
  for (const line of [
    "http.outbound.downstream_rq_total: 7",
    "cluster_manager.cds.update_success: 2",
    "cluster_manager.cds.update_rejected: 1",
    "cluster_manager.cds.update_failure: 0",
    "control_plane.connected_state: 1",
    "server.live: 1",
    "server.state: 0",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
  }
  const { stats }: { stats: { name: string }[] } = JSON.parse((await get("/stats?format=json")).text);
  assert.ok(stats.some(({ name }) => name === "server.uptime"));
  assert.equal((await get("/stats?format=xml")).status, 400);
  assert.match((await get("/stats/prometheus")).text, /^envoy_server_live 1$[^]*^a_metric 1$/m);
});

test("/logging sets the level", async () => {
  assert.match((await post("/logging")).text, /sidecar: silent/);
  assert.match((await post("/logging?level=fatal")).text, /sidecar: fatal/);
  assert.equal(logger.level, "fatal");
  const refused = await post("/logging?level=loud");
  assert.equal(refused.status, 400);
  assert.match(refused.text, /FL_REQUEST_INVALID/);
  assert.equal(logger.level, "fatal");
});

test("what changes something takes POST only, and not from a web page", async () => {
  for (const path of ["/logging?level=debug", "/drain_listeners", "/healthcheck/fail", "/quitquitquit"]) {
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], path);
    assert.equal((await post(path, { origin: "https://evil.example" })).status, 403, path);
  }
  assert.deepEqual([drained, quit, logger.level], [[], 0, "fatal"]);
  assert.equal((await post("/drain_listeners")).text, "OK\n");
  assert.equal((await post("/drain_listeners?graceful")).text, "OK\n");
  assert.equal((await post("/healthcheck/fail")).text, "OK\n");
  assert.equal((await post("/healthcheck/ok")).text, "OK\n");
  assert.equal((await post("/quitquitquit")).text, "OK\n");
  assert.deepEqual([drained, failedHealth, quit], [[false, true], [true, false], 1]);
  assert.equal((await post("/ready")).status, 405);
});

test("what changes something is not for other hosts, wherever the pages listen", async (t) => {
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (address === undefined) return t.skip("this machine has no address besides loopback");
  let changed = 0;
  const open = new AdminServer(
    {
      "/read": { method: "GET", help: "reads", show: () => ({ body: "read\n" }) },
      "/change": { method: "POST", help: "changes", show: () => ({ body: `changed ${++changed}\n` }) },
    },
    manners,
  );
  const port = await open.listen("0.0.0.0", 0);
  const ask = async (host: string, path: string, method = "GET") => {
    const response = await fetch(`http://${host}:${port}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  assert.deepEqual(await ask(address, "/read"), [200, "read\n"]);
  const [status, text] = await ask(address, "/change", "POST");
  assert.equal(status, 403);
  assert.match(text, /FL_ADMIN_PEER_REFUSED/);
  assert.deepEqual(await ask("127.0.0.1", "/change", "POST"), [200, "changed 1\n"]);
  await open.close();
});

test("an unknown page is 404 with a code; /help lists all; a page that fails is 500 without its inside", async () => {
  const unknown = await get("/nothing");
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /FL_NOT_FOUND/);
  assert.match((await get("/help")).text, /\/quitquitquit \(POST\)/);
  const broken = await get("/broken");
  assert.equal(broken.status, 500);
  assert.doesNotMatch(broken.text, /inside"/);
});

test("a port that is taken is a clear error", async () => {
  const second = new AdminServer({}, manners);
  await assert.rejects(second.listen("127.0.0.1", Number(new URL(base).port)), {
    code: "FL_LISTEN_FAILED",
    message: /admin pages/,
  });
  await second.close();
});
