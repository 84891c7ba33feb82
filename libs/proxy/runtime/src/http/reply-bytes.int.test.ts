import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ComparisonFilter_Op as Op } from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import type { DataSource } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { DataSourceSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, toCluster, type VirtualHostInit } from "../testing/resources.ts";

/** No text in UTF-8. */
const image = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x20, 0xff, 0xc3]);

const inline = (bytes: Buffer): DataSource =>
  create(DataSourceSchema, { specifier: { case: "inlineBytes", value: bytes } });

const direct: VirtualHostInit = {
  name: "direct",
  domains: ["direct"],
  routes: [
    {
      match: { pathSpecifier: { case: "prefix", value: "/text" } },
      action: { case: "directResponse", value: { status: 200, body: inline(Buffer.from("é")) } },
    },
    {
      match: { pathSpecifier: { case: "prefix", value: "/" } },
      action: { case: "directResponse", value: { status: 200, body: inline(image) } },
    },
  ],
};

const status404 = {
  filterSpecifier: {
    case: "statusCodeFilter",
    value: { comparison: { op: Op.EQ, value: { defaultValue: 404, runtimeKey: "x" } } },
  },
} as const;

function bodyOf(port: number, host: string, path = "/"): Promise<{ length: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ length: response.headers["content-length"], body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

test("bodies of the configuration that are bytes go to the client as they are", async () => {
  const localReplyConfig = { mappers: [{ filter: status404, body: inline(image) }] };
  await using proxy = await TestProxy.start({
    listeners: [listener("in", 0, { localReplyConfig })],
    routes: [routes("in", direct, { ...toCluster("none", "none"), routes: [] })],
  });
  const port = proxy.port("in");
  assert.deepEqual(await bodyOf(port, "direct"), { length: "7", body: image });
  assert.deepEqual(await bodyOf(port, "direct", "/text"), { length: "2", body: Buffer.from("é") });
  assert.deepEqual(await bodyOf(port, "none"), { length: "7", body: image });
});

test("a body format takes the bytes as text", async () => {
  const localReplyConfig = {
    mappers: [{ filter: status404, body: inline(image) }],
    bodyFormat: { format: { case: "textFormat" as const, value: "<%LOCAL_REPLY_BODY%>" } },
  };
  await using proxy = await TestProxy.start({
    listeners: [listener("in", 0, { localReplyConfig })],
    routes: [routes("in", { ...toCluster("none", "none"), routes: [] })],
  });
  assert.equal((await bodyOf(proxy.port("in"), "none")).body.toString(), `<${image.toString("utf8")}>`);
});
