import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { BrotliSchema } from "@fairlead/envoy-api/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { ZstdSchema } from "@fairlead/envoy-api/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js";
import {
  CompressorPerRouteSchema,
  CompressorSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

type CompressorInit = Extract<MessageInitShape<typeof CompressorSchema>, { readonly $typeName?: undefined }>;

const compressor = (name: string, library: Any, init: CompressorInit = {}) => ({
  name,
  configType: {
    case: "typedConfig" as const,
    value: pack(CompressorSchema, { compressorLibrary: { name: "lib", typedConfig: library }, ...init }),
  },
});
const gzip = (init: CompressorInit = {}) => compressor("gzip", pack(GzipSchema, {}), init);
const brotli = compressor("brotli", pack(BrotliSchema, {}));
const zstd = compressor("zstd", pack(ZstdSchema, {}));
const router = { name: "router", configType: { case: "typedConfig" as const, value: pack(RouterSchema, {}) } };

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function get(port: number, path: string, accept: string | undefined, method = "GET", host = "a"): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...(accept === undefined ? {} : { "accept-encoding": accept }) };
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

const text = "hello ".repeat(1000);

/** Each path is another kind of response. */
function app(): Promise<Backend> {
  return Backend.start((incoming, response) => {
    incoming.resume();
    const url = new URL(incoming.url ?? "/", "http://a");
    for (const [name, value] of url.searchParams) response.setHeader(name, value);
    response.statusCode = Number(url.pathname.slice(1));
    response.setHeader("x-accept", incoming.headers["accept-encoding"] ?? "-");
    if (url.pathname === "/204" || url.pathname === "/304") response.end();
    else response.end(url.searchParams.get("x-body") ?? text);
  });
}

async function start(
  backend: Backend,
  filters: readonly object[],
  overrides: Record<string, Any> = {},
): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters: [...(filters as never[]), router] })],
    routes: [routes("in", toCluster("a", "a"), { ...toCluster("off", "a"), typedPerFilterConfig: overrides })],
  });
}

test("the client gets what it likes best, and it is the same after all", async () => {
  await using backend = await app();
  await using proxy = await start(backend, [gzip(), brotli, zstd]);
  const port = proxy.port("in");
  const type = "/200?content-type=text/plain";
  const asGzip = await get(port, type, "gzip");
  assert.equal(asGzip.headers["content-encoding"], "gzip");
  assert.equal(asGzip.headers["vary"], "Accept-Encoding");
  assert.equal(asGzip.headers["content-length"], undefined);
  assert.equal(gunzipSync(asGzip.body).toString(), text);
  assert.equal(brotliDecompressSync((await get(port, type, "gzip;q=0.5, br")).body).toString(), text);
  assert.equal(zstdDecompressSync((await get(port, type, "zstd")).body).toString(), text);
  const plain = await get(port, type, undefined);
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.equal(plain.headers["vary"], "Accept-Encoding");
  assert.equal(plain.body.toString(), text);
  const stat = (name: string): number => proxy.stat(`http.in.compressor.lib.${name}`);
  assert.equal(stat("gzip.compressed"), 1);
  assert.equal(stat("gzip.not_compressed"), 3);
  assert.equal(stat("brotli.header_compressor_used"), 1);
  assert.equal(stat("gzip.header_compressor_overshadowed"), 2);
  assert.equal(stat("zstd.no_accept_header"), 1);
  assert.equal(stat("gzip.total_uncompressed_bytes"), text.length);
  assert.equal(stat("gzip.total_compressed_bytes"), asGzip.body.length);
});

const left: readonly (readonly [what: string, path: string, vary: boolean])[] = [
  ["another type", "/200?content-type=image/png", false],
  ["a short body", "/200?content-type=text/plain&x-body=short&content-length=5", false],
  ["what is compressed already", "/200?content-type=text/plain&content-encoding=br", false],
  ["no-transform", "/200?content-type=text/plain&cache-control=public,%20no-transform", false],
  ["a part", "/206?content-type=text/plain", false],
  ["no body", "/204?content-type=text/plain", false],
  ["what has not changed", "/304?content-type=text/plain", false],
  ["gRPC", "/200?content-type=application/grpc", false],
];

test("responses that must not be compressed are left alone", async () => {
  await using backend = await app();
  await using proxy = await start(backend, [gzip({ contentType: ["text/plain", "application/grpc"] })]);
  for (const [what, path, vary] of left) {
    const { headers } = await get(proxy.port("in"), path, "gzip");
    assert.notEqual(headers["content-encoding"], "gzip", what);
    assert.equal(headers["vary"] !== undefined, vary, what);
  }
  const head = await get(proxy.port("in"), "/200?content-type=text/plain", "gzip", "HEAD");
  assert.equal(head.headers["content-encoding"], undefined);
  assert.equal(proxy.stat("http.in.compressor.lib.gzip.compressed"), 0);
});

test("a strong etag is taken away, a weak one stays; or such responses are left as they are", async () => {
  await using backend = await app();
  await using proxy = await start(backend, [gzip()]);
  const etag = (value: string): string => `/200?content-type=text/plain&etag=${encodeURIComponent(value)}`;
  assert.equal((await get(proxy.port("in"), etag('"a"'), "gzip")).headers["etag"], undefined);
  assert.equal((await get(proxy.port("in"), etag('W/"a"'), "gzip")).headers["etag"], 'W/"a"');
  await using leaves = await start(backend, [gzip({ responseDirectionConfig: { disableOnEtagHeader: true } })]);
  const kept = await get(leaves.port("in"), etag('W/"a"'), "gzip");
  assert.deepEqual([kept.headers["etag"], kept.headers["content-encoding"]], ['W/"a"', undefined]);
  assert.equal(leaves.stat("http.in.compressor.lib.gzip.response.not_compressed"), 1);
});

test("accept-encoding is kept from hosts, and a route may do without, as the configuration says", async () => {
  await using backend = await app();
  const off = pack(CompressorPerRouteSchema, { override: { case: "disabled", value: true } });
  await using proxy = await start(backend, [gzip({ removeAcceptEncodingHeader: true })], { gzip: off });
  const path = "/200?content-type=text/plain&vary=origin";
  const on = await get(proxy.port("in"), path, "gzip");
  assert.deepEqual([on.headers["content-encoding"], on.headers["x-accept"]], ["gzip", "-"]);
  assert.equal(on.headers["vary"], "origin, Accept-Encoding");
  const without = await get(proxy.port("in"), path, "gzip", "GET", "off");
  assert.deepEqual([without.headers["content-encoding"], without.headers["x-accept"]], [undefined, "gzip"]);
});

test("events are not held back until there are more of them; trailers come after the body", async () => {
  await using backend = await Http2Backend.start((stream) => {
    stream.respond({ ":status": 200, "content-type": "text/html" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "yes" }));
    stream.write("first");
    stream.once("data", () => stream.end("second"));
  });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters: [gzip(), router] })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  using caller = new Http2Caller(proxy.port("in"));
  const stream = caller.session.request({ ":method": "POST", "accept-encoding": "gzip" }, { endStream: false });
  const chunks: Buffer[] = [];
  let trailers: Record<string, unknown> = {};
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("trailers", (headers) => (trailers = headers));
  await until("the first event", () => chunks.length > 0);
  stream.end("go on");
  await new Promise((resolve) => stream.on("close", resolve));
  assert.equal(gunzipSync(Buffer.concat(chunks)).toString(), "firstsecond");
  assert.equal(trailers["x-end"], "yes");
});

test("a client that does not read bounds what is compressed for it", async () => {
  let sent = 0;
  const block = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
  await using backend = await Backend.start((incoming, response) => {
    incoming.resume();
    response.setHeader("content-type", "text/plain");
    const more = (): void => {
      do sent += block.length;
      while (response.write(block) && sent < 200 * 1024 * 1024);
    };
    response.on("drain", more);
    more();
  });
  await using proxy = await start(backend, [gzip()]);
  const outgoing = request({
    host: "127.0.0.1",
    port: proxy.port("in"),
    headers: { host: "a", "accept-encoding": "gzip" },
  });
  outgoing.on("error", () => undefined);
  outgoing.on("response", (response) => response.pause());
  outgoing.end();
  let before = -1;
  let still = 0;
  await until("the host is stopped", () => {
    still = sent === before && sent > 0 ? still + 1 : 0;
    before = sent;
    return still === 20;
  });
  assert(sent < 30 * 1024 * 1024, `${sent} bytes were taken`);
  outgoing.destroy();
});
