import assert from "node:assert/strict";
import { test } from "node:test";
import { Backend } from "../testing/backend.ts";
import { type Answer, call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const inside = { internalAddressConfig: { cidrRanges: [{ addressPrefix: "127.0.0.0", prefixLen: 8 }] } };

/** A host that answers each case first as that says, then with 200; in the body, which of the request's headers were the proxy's. */
function onceFailing(first: ReadonlyMap<string, FirstAnswer>): Promise<Backend> {
  const asked = new Map<string, number>();
  return Backend.start((request, response) => {
    request.resume();
    const name = String(request.headers["x-case"]);
    const times = (asked.get(name) ?? 0) + 1;
    asked.set(name, times);
    const answer = first.get(name);
    if (times === 1 && answer?.silent === true) return;
    if (times === 1) response.writeHead(answer?.status ?? 200, answer?.headers);
    const passed = Object.keys(request.headers).filter(
      (header) => header.startsWith("x-envoy-") && header !== "x-envoy-internal" && !header.includes("expected-rq"),
    );
    response.end(`${times} ${passed.join(",")}`);
  });
}

interface FirstAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** It does not come. */
  readonly silent?: boolean;
}

interface Case {
  readonly first: FirstAnswer;
  readonly asks: Record<string, string>;
  /** Attempts, where a request from inside asks so. */
  readonly attempts: number;
}

const grpc = (status: number) => ({ headers: { "content-type": "application/grpc", "grpc-status": String(status) } });
const onGrpc = (conditions: string) => ({ "x-envoy-retry-grpc-on": conditions });
const onStatus = (codes: string) => ({
  "x-envoy-retry-on": "retriable-status-codes",
  "x-envoy-retriable-status-codes": codes,
});
const onHeader = (names: string) => ({
  "x-envoy-retry-on": "retriable-headers",
  "x-envoy-retriable-header-names": names,
});

const cases: Readonly<Record<string, Case>> = {
  cancelled: { first: grpc(1), asks: onGrpc("cancelled"), attempts: 2 },
  deadline: { first: grpc(4), asks: onGrpc("deadline-exceeded"), attempts: 2 },
  exhausted: { first: grpc(8), asks: onGrpc("cancelled, resource-exhausted"), attempts: 2 },
  internal: { first: grpc(13), asks: onGrpc("internal"), attempts: 2 },
  unavailable: { first: grpc(14), asks: onGrpc("unavailable"), attempts: 2 },
  otherGrpc: { first: grpc(14), asks: onGrpc("internal"), attempts: 1 },
  httpInGrpc: { first: { status: 500 }, asks: onGrpc("5xx"), attempts: 1 },
  grpcInHttp: { first: grpc(14), asks: { "x-envoy-retry-on": "unavailable" }, attempts: 1 },
  status: { first: { status: 418 }, asks: onStatus("404, 418"), attempts: 2 },
  otherStatus: { first: { status: 404 }, asks: onStatus("418"), attempts: 1 },
  statusNotOn: { first: { status: 418 }, asks: { "x-envoy-retriable-status-codes": "418" }, attempts: 1 },
  header: { first: { headers: { "x-again": "" } }, asks: onHeader("x-other, X-Again"), attempts: 2 },
  otherHeader: { first: { headers: { "x-fine": "1" } }, asks: onHeader("x-again"), attempts: 1 },
  headerNotOn: { first: { headers: { "x-again": "1" } }, asks: { "x-envoy-retriable-header-names": "x-again" }, attempts: 1 },
  perTry: {
    first: { silent: true },
    asks: { "x-envoy-retry-on": "5xx", "x-envoy-upstream-rq-per-try-timeout-ms": "40" },
    attempts: 2,
  },
}; // prettier-ignore

test("a caller from inside asks on what to retry; none of it reaches the host, and from outside none counts", async () => {
  const first = new Map(Object.entries(cases).map(([name, it]) => [name, it.first]));
  for (const trusted of [true, false]) {
    await using backend = await onceFailing(first);
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, trusted ? inside : {})],
      routes: [routes("in", toCluster("*", "a", { timeout: duration(2000) }))],
    });
    for (const [name, { first: answer, asks, attempts }] of Object.entries(cases)) {
      // Who may not ask would wait for the route's own time-out.
      if (!trusted && answer.silent === true) continue;
      const { body } = await call(proxy.port("in"), { agent: false, headers: { "x-case": name, ...asks } });
      assert.equal(body, `${trusted ? attempts : 1} `, `${name}, ${trusted ? "from inside" : "from outside"}`);
    }
  }
});

test("headers that are retried on come on top of those of the route", async () => {
  const first = new Map<string, FirstAnswer>([
    ["route", { headers: { "x-of-route": "yes" } }],
    ["caller", { headers: { "x-of-caller": "1" } }],
    ["neither", { headers: { "x-of-route": "no" } }],
  ]);
  await using backend = await onceFailing(first);
  const retriableHeaders = [
    { name: "x-of-route", headerMatchSpecifier: { case: "exactMatch" as const, value: "yes" } },
  ];
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, inside)],
    routes: [routes("in", toCluster("*", "a", { retryPolicy: { retryOn: "retriable-headers", retriableHeaders } }))],
  });
  const attempts: string[] = [];
  for (const name of first.keys()) {
    const headers = { "x-case": name, "x-envoy-retriable-header-names": "x-of-caller" };
    attempts.push((await call(proxy.port("in"), { headers })).body.trim());
  }
  assert.deepEqual(attempts, ["2", "2", "1"]);
});

test("a caller from inside bounds how long its stream may last", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.write("first");
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, inside)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const ask = (): Promise<Answer> =>
    call(proxy.port("in"), { agent: false, headers: { "x-envoy-upstream-stream-duration-ms": "40" } });
  await assert.rejects(ask, /aborted|ECONNRESET|hang up/);
  assert.equal(proxy.stat("cluster.a.upstream_rq_max_duration_reached"), 1);
});
