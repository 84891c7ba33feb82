import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { VirtualClusterSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { LoggedLines } from "../testing/access-logs.ts";
import { Backend } from "../testing/backend.ts";
import { type Answer, call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import {
  duration,
  listener,
  type RouteActionInit,
  routes,
  staticCluster,
  toCluster,
  type VirtualHostInit,
} from "../testing/resources.ts";

type Policy = RouteActionInit["internalRedirectPolicy"];

/** Answers with what it got; `/to?<status>&<location>` with a redirect. */
async function redirecting(name: string): Promise<Backend> {
  return Backend.start((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(name, request, response, Buffer.concat(chunks)));
  });
}

function answer(name: string, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const [, status = "", location = ""] = /^\/to\?(\d+)&(.*)$/.exec(request.url ?? "") ?? [];
  if (location !== "") {
    response.writeHead(Number(status), { location: `${location}#end`, "x-token": "t" }).end("moved");
    return;
  }
  const { headers, method, url } = request;
  response.end(
    JSON.stringify({
      name,
      method,
      url,
      host: headers.host,
      body: body.length,
      length: headers["content-length"],
      headers,
    }),
  );
}

async function start(policy: Policy, a: Backend, b: Backend): Promise<TestProxy> {
  const limit = create(LocalRateLimitSchema, {
    statPrefix: "seen",
    tokenBucket: { maxTokens: 1000, fillInterval: duration(60_000) },
    filterEnabled: { defaultValue: { numerator: 100 } },
  });
  const httpFilters = [anyPack(LocalRateLimitSchema, limit), anyPack(RouterSchema, create(RouterSchema))].map(
    (value, i) => ({ name: String(i), configType: { case: "typedConfig" as const, value } }),
  );
  const hostA = toCluster("a", "a", policy === undefined ? {} : { internalRedirectPolicy: policy });
  return TestProxy.start({
    clusters: [staticCluster("a", [a.port]), staticCluster("b", [b.port])],
    listeners: [listener("in", 0, { httpFilters })],
    routes: [routes("in", { ...hostA, perRequestBufferLimitBytes: 5000 }, toCluster("b", "b"))],
  });
}

function ask(proxy: TestProxy, status: number, location: string, body?: string): Promise<Answer> {
  return call(proxy.port("in"), {
    path: `/to?${status}&${location}`,
    headers: { host: "a", ...(body === undefined ? {} : { "content-length": String(body.length) }) },
    ...(body === undefined ? {} : { method: "POST", body }),
  });
}

test("a log says where a request has ended, and nothing of where it was sent before", async () => {
  await using a = await redirecting("a");
  await using b = await redirecting("b");
  await using lines = await LoggedLines.start();
  const text = "%UPSTREAM_CLUSTER% %UPSTREAM_HOST% %VIRTUAL_CLUSTER_NAME%";
  const first = create(VirtualClusterSchema, {
    name: "first",
    headers: [{ name: ":method", headerMatchSpecifier: { case: "presentMatch", value: true } }],
  });
  const here: VirtualHostInit = {
    name: "here",
    domains: ["here"],
    routes: [
      {
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: { case: "directResponse", value: { status: 200 } },
      },
    ],
  };
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [a.port]), staticCluster("b", [b.port])],
    listeners: [listener("in", 0, { accessLog: [lines.text(text)] })],
    routes: [
      routes(
        "in",
        { ...toCluster("a", "a", { internalRedirectPolicy: {} }), virtualClusters: [first] },
        toCluster("b", "b"),
        here,
      ),
    ],
  });
  await ask(proxy, 302, "http://b/");
  await ask(proxy, 302, "http://here/");
  await proxy.runtime.close();
  assert.deepEqual(await lines.read(), [`b 127.0.0.1:${b.port} -`, "- - -"]);
});

test("a redirect of a host is followed, through the filters and by the routes", async () => {
  await using a = await redirecting("a");
  await using b = await redirecting("b");
  await using proxy = await start({ responseHeadersToCopy: ["X-Token"] }, a, b);
  const { status, body } = await ask(proxy, 302, "http://b/x/../y?z=1");
  assert.equal(status, 200);
  assert.partialDeepStrictEqual(JSON.parse(body), {
    name: "b",
    method: "GET",
    url: "/y?z=1",
    host: "b",
    headers: { "x-envoy-original-url": "http://a/to?302&http://b/x/../y?z=1", "x-token": "t" },
  });
  assert.equal(proxy.stat("http.in.seen.http_local_rate_limit.enabled"), 2);
  assert.equal(proxy.stat("http.in.downstream_rq_total"), 1);
  assert.equal(proxy.stat("cluster.a.upstream_internal_redirect_succeeded_total"), 1);
  assert.equal(proxy.stat("cluster.a.upstream_rq_active") + proxy.stat("cluster.b.upstream_rq_active"), 0);
});

test("the body is sent once more; after 303 it is not", async () => {
  await using a = await redirecting("a");
  await using b = await redirecting("b");
  await using proxy = await start({ redirectResponseCodes: [303, 307, 200] }, a, b);
  const post = "x".repeat(3000);
  const kept = await ask(proxy, 307, "http://b/y", post);
  assert.partialDeepStrictEqual(JSON.parse(kept.body), { name: "b", method: "POST", body: 3000, length: "3000" });
  const other = JSON.parse((await ask(proxy, 303, "http://b/y", post)).body) as { length?: string };
  assert.partialDeepStrictEqual(other, { name: "b", method: "GET", body: 0 });
  assert.equal(other.length, undefined);
  assert.equal((await ask(proxy, 302, "http://b/y")).status, 302);
});

test("what cannot be followed is for the client, and counted", async () => {
  await using a = await redirecting("a");
  await using b = await redirecting("b");
  await using proxy = await start({}, a, b);
  const passed = async (location: string, stat: string): Promise<void> => {
    const { status, headers, body } = await ask(proxy, 302, location);
    assert.deepEqual([status, body], [302, "moved"], location);
    assert.notEqual(headers.location, undefined);
    assert.equal(proxy.stat(`http.in.passthrough_internal_redirect_${stat}`), 1, stat);
  };
  await passed("/y", "bad_location");
  await passed("https://b/y", "unsafe_scheme");
  await passed("http://nobody/y", "no_route");
  // The second of its redirects, where one is allowed.
  await passed("http://a/to?302&http://b/y", "too_many_redirects");
  assert.equal(proxy.stat("cluster.a.upstream_internal_redirect_failed_total"), 4);
  assert.equal(proxy.stat("cluster.a.upstream_internal_redirect_succeeded_total"), 1);
  const long = await ask(proxy, 302, "http://b/y", "x".repeat(20_000));
  assert.equal(long.status, 302);
  assert.equal(proxy.stat("cluster.a.upstream_internal_redirect_failed_total"), 5);
});

test("without a policy redirects are for the client; with one the other scheme may be allowed", async () => {
  await using a = await redirecting("a");
  await using b = await redirecting("b");
  await using plain = await start(undefined, a, b);
  assert.equal((await ask(plain, 302, "http://b/y")).status, 302);
  assert.equal(plain.stat("cluster.a.upstream_internal_redirect_failed_total"), 0);
  await using proxy = await start({ allowCrossSchemeRedirect: true }, a, b);
  assert.equal((await ask(proxy, 302, "https://b/y")).status, 200);
});
