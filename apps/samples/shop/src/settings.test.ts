import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "./settings.ts";

test("defaults are the sidecar's contract ports", () => {
  const settings = readSettings("reviews", { SHOP_VERSION: "", SHOP_INSTANCE: "reviews-1" });
  assert.deepEqual(
    { ...settings, sidecarApi: settings.sidecarApi.href, outbound: settings.outbound.href },
    {
      port: 8080,
      bind: "127.0.0.1",
      version: "v1",
      instance: "reviews-1",
      sidecarApi: "http://127.0.0.1:13330/",
      outbound: "http://127.0.0.1:15001/",
      outboundRpc: undefined,
      rpcPort: 20880,
      zookeeper: undefined,
    },
  );
});

test("a wrong setting is named", () => {
  assert.throws(() => readSettings("reviews", { SHOP_PORT: "80a" }), /SHOP_PORT is "80a"/);
  assert.throws(() => readSettings("reviews", { SHOP_PORT: "70000" }), /SHOP_PORT/);
  assert.throws(() => readSettings("reviews", { SHOP_OUTBOUND_RPC: "12220" }), /SHOP_OUTBOUND_RPC/);
  assert.throws(() => readSettings("reviews", { SHOP_OUTBOUND: "127.0.0.1:15001" }), /SHOP_OUTBOUND/);
});
