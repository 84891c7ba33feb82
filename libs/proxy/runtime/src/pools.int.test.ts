import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { CompressorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { withPoolLeakCheck } from "@fairlead/pool/testing";
import { until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { Http2Caller } from "./testing/http2-peers.ts";
import { TestProxy } from "./testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "./testing/resources.ts";

const gzip = anyPack(
  CompressorSchema,
  create(CompressorSchema, {
    compressorLibrary: { name: "lib", typedConfig: anyPack(GzipSchema, create(GzipSchema)) },
  }),
);
const filters = [
  { name: "gzip", configType: { case: "typedConfig" as const, value: gzip } },
  { name: "router", configType: { case: "typedConfig" as const, value: anyPack(RouterSchema, create(RouterSchema)) } },
];

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
  const text = Buffer.alloc(300_000, "a line of text that can be made shorter\n");
  const takes = await withPoolLeakCheck(async () => {
    await using backend = await Backend.start((incoming, outgoing) => {
      incoming.resume();
      outgoing.setHeader("content-type", "text/plain");
      // In several reads, and heads and bodies in one write.
      outgoing.end(incoming.url === "/short" ? text.subarray(0, 8000) : text);
    });
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, { httpFilters: filters })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    const port = proxy.port("in");
    for (let i = 0; i < 20; i++) {
      assert.equal((await get(port, "/short", false, "identity"))?.length, 8000);
      assert.equal((await get(port, "/long", false, "identity"))?.length, text.length);
      assert.equal(gunzipSync((await get(port, "/long", false, "gzip"))!).length, text.length);
      await get(port, "/long", true, "gzip");
      await get(port, "/long", true, "identity");
    }
    using caller = new Http2Caller(port);
    const long = { ":path": "/long", ":authority": "a" };
    for (let i = 0; i < 5; i++) assert.equal((await caller.call(long)).body.length, text.length);
  }, settle);
  for (const name of ["gzip", "reads", "writes"]) assert.ok((takes[name] ?? 0) > 0, `nothing was taken from ${name}`);
});
