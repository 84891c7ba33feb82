import assert from "node:assert/strict";
import { request, type RequestListener } from "node:http";
import { constants } from "node:http2";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { CompressorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { withPoolLeakCheck } from "@fairlead/pool/testing";
import { ObjectPool, registerStreamFilter, type StreamFilterCallbacks, threadPools } from "@fairlead/proxy-filter";
import { until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { call } from "./testing/client.ts";
import { Http2Caller } from "./testing/http2-peers.ts";
import { TestProxy } from "./testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "./testing/resources.ts";

const gzip = anyPack(
  CompressorSchema,
  create(CompressorSchema, {
    compressorLibrary: { name: "lib", typedConfig: anyPack(GzipSchema, create(GzipSchema)) },
  }),
);
const router = anyPack(RouterSchema, create(RouterSchema));
const typed = (name: string, value: Any) => ({ name, configType: { case: "typedConfig" as const, value } });

const text = Buffer.alloc(300_000, "a line of text that can be made shorter\n");
const answer: RequestListener = (incoming, outgoing) => {
  incoming.resume();
  outgoing.setHeader("content-type", "text/plain");
  if (incoming.url === "/never") return;
  if (incoming.url === "/moved") outgoing.writeHead(302, { location: "http://a/long" }).end();
  else if (incoming.url === "/half") outgoing.write(text);
  else if (incoming.url === "/cut") outgoing.write(text, () => outgoing.destroy());
  // In several reads, and heads and bodies in one write.
  else outgoing.end(incoming.url === "/short" ? text.subarray(0, 8000) : text);
};

/** @returns the body; undefined: the caller has left in its midst */
function get(port: number, path: string, leaves: boolean, encoding: string): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { host: "a", "accept-encoding": encoding };
    const outgoing = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (leaves) response.destroy();
      });
      response.on("close", () => resolve(leaves ? undefined : Buffer.concat(chunks)));
      response.on("error", (error) => (leaves ? resolve(undefined) : reject(error)));
    });
    outgoing.on("error", (error) => (leaves ? resolve(undefined) : reject(error)));
    outgoing.end();
  });
}

const settle = (condition: () => boolean): Promise<unknown> => until("all is back in the pools", condition);

test("what requests take from the pools of the thread comes back: also where callers leave, and all is closed", async () => {
  const takes = await withPoolLeakCheck(async () => {
    await using backend = await Backend.start(answer);
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, { httpFilters: [typed("gzip", gzip), typed("router", router)] })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    const port = proxy.port("in");
    for (let i = 0; i < 20; i++) {
      assert.equal((await get(port, "/short", false, "identity"))?.length, 8000);
      assert.equal((await get(port, "/long", false, "identity"))?.length, text.length);
      assert.equal(gunzipSync((await get(port, "/long", false, "gzip"))!).length, text.length);
      await get(port, "/half", true, "gzip");
      await get(port, "/long", true, "identity");
    }
    using caller = new Http2Caller(port);
    const long = { ":path": "/long", ":authority": "a" };
    for (let i = 0; i < 5; i++) assert.equal((await caller.call(long)).body.length, text.length);
  }, settle);
  for (const name of ["gzip", "reads", "writes"]) assert.ok((takes[name] ?? 0) > 0, `nothing was taken from ${name}`);
});

test("what a filter takes for its stream is given back when that is over, however it ends", async () => {
  const pool = threadPools.add("things", new ObjectPool({ name: "things", create: () => ({}), reset: () => true }));
  const typeUrl = "type.googleapis.com/test.TakesThings";
  let last: StreamFilterCallbacks | undefined;
  registerStreamFilter(typeUrl, () => (callbacks) => {
    last = callbacks;
    callbacks.pools.take(pool);
    return {
      onRequestHead(head) {
        if (head.path !== "/no") return "continue";
        callbacks.sendLocalReply({ status: 403, body: "no", details: "test" });
        return "stop";
      },
      // Until then it is its own.
      onDestroy: () => assert.equal(pool.stats.taken, 1),
    };
  });
  await using backend = await Backend.start(answer);
  const redirects = { internalRedirectPolicy: { allowCrossSchemeRedirect: true } };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, { httpFilters: [typed("takes", create(AnySchema, { typeUrl })), typed("router", router)] }),
    ],
    routes: [routes("in", toCluster("slow", "a", { timeout: duration(30) }), toCluster("*", "a", redirects))],
  });
  const port = proxy.port("in");
  using caller = new Http2Caller(port);
  const resetInMidBody = async (): Promise<void> => {
    const stream = caller.session.request({ ":path": "/half", ":authority": "a" });
    stream.once("data", () => stream.close(constants.NGHTTP2_CANCEL));
    await new Promise((resolve) => stream.once("close", resolve));
  };
  const endings: Readonly<Record<string, readonly [taken: number, ending: () => Promise<unknown>]>> = {
    whole: [1, () => get(port, "/long", false, "identity")],
    "the caller leaves": [1, () => get(port, "/half", true, "identity")],
    "the caller resets": [1, resetInMidBody],
    "the host breaks off": [1, () => assert.rejects(call(port, { path: "/cut" }))],
    "a time-out": [
      1,
      async () => assert.equal((await call(port, { path: "/never", headers: { host: "slow" } })).status, 504),
    ],
    "a local reply": [1, async () => assert.equal((await call(port, { path: "/no" })).status, 403)],
    "a redirect that is followed": [2, async () => assert.equal((await call(port, { path: "/moved" })).status, 200)],
  };
  let expected = 0;
  for (const [name, [taken, ending]] of Object.entries(endings)) {
    await ending();
    await until(`${name}: all is back`, () => pool.stats.taken === 0);
    const { created, reused } = pool.stats;
    assert.equal(created + reused, (expected += taken), name);
    assert.throws(() => last?.pools.take(pool), /has ended/, name);
  }
});
