import assert from "node:assert/strict";
import { test } from "node:test";
import { isValidNodeId } from "@fairlead/model";
import { defaultOverloadActions, parseOverloadActions } from "@fairlead/proxy-overload";
import { sidecarConfig } from "./config.ts";
import { nodeOf } from "./node-identity.ts";

test("only the application's name is required", () => {
  const config = sidecarConfig.load({ FAIRLEAD_APP: "orders" });
  assert.deepEqual(config, {
    app: "orders",
    address: "127.0.0.1",
    bind: "127.0.0.1",
    apiPort: 13330,
    outboundPort: 15001,
    outboundRpcPort: 12220,
    dubboPort: 20880,
    boltPort: 12200,
    inboundPort: 15006,
    adminPort: 15000,
    registryUrl: ["http://127.0.0.1:13300"],
    adsAddress: ["127.0.0.1:15010"],
    adsVariant: "delta",
    filterModules: [],
    labels: {},
    accessLog: undefined,
    concurrency: 1,
    overloadActions: parseOverloadActions(defaultOverloadActions),
    hotRestart: false,
    hotRestartTimeout: 90_000,
    leaseTtl: 30_000,
    drainTimeout: 10_000,
    initialFetchTimeout: 15_000,
    maxHttpConnections: 1000,
    httpHeadersTimeout: 5_000,
    httpRequestTimeout: 10_000,
    logLevel: "info",
    unknownXdsFields: "refuse",
  });
});

test("lists and labels", () => {
  const config = sidecarConfig.load({
    FAIRLEAD_APP: "orders",
    FAIRLEAD_REGISTRY_URL: "http://a:1, https://b.example:2/base",
    FAIRLEAD_ADS_ADDRESS: "a:1,[::1]:2",
    FAIRLEAD_LABELS: "zone=eu-1, tier=gold",
    FAIRLEAD_DRAIN_TIMEOUT: "500ms",
    FAIRLEAD_CONCURRENCY: "auto",
    FAIRLEAD_OVERLOAD_ACTIONS: "off",
  });
  assert.deepEqual([config.concurrency, config.overloadActions], ["auto", []]);
  assert.deepEqual(config.registryUrl, ["http://a:1", "https://b.example:2/base"]);
  assert.deepEqual(config.adsAddress, ["a:1", "[::1]:2"]);
  assert.deepEqual(config.labels, { zone: "eu-1", tier: "gold" });
  assert.equal(config.drainTimeout, 500);
});

for (const [variable, value] of [
  ["FAIRLEAD_APP", ""],
  ["FAIRLEAD_CONCURRENCY", "0"],
  ["FAIRLEAD_UNKNOWN_XDS_FIELDS", "accept"],
  ["FAIRLEAD_CONCURRENCY", "all"],
  ["FAIRLEAD_OVERLOAD_ACTIONS", "stop=memory:0.9"],
  ["FAIRLEAD_ADDRESS", "orders.example"],
  ["FAIRLEAD_NODE_ID", "a b"],
  ["FAIRLEAD_INBOUND_PORT", "0"],
  ["FAIRLEAD_API_PORT", "70000"],
  ["FAIRLEAD_REGISTRY_URL", "ftp://x"],
  ["FAIRLEAD_REGISTRY_URL", " , "],
  ["FAIRLEAD_ADS_ADDRESS", "http://127.0.0.1:1"],
  ["FAIRLEAD_LABELS", "zone"],
  ["FAIRLEAD_LABELS", "zone=a b"],
  ["FAIRLEAD_LOG_LEVEL", "loud"],
  ["FAIRLEAD_DRAIN_TIMEOUT", "10"],
] as const) {
  test(`${variable}=${JSON.stringify(value)} is refused by name`, () => {
    assert.throws(() => sidecarConfig.load({ FAIRLEAD_APP: "orders", [variable]: value }), {
      code: "FL_CONFIG_INVALID",
      message: new RegExp(variable),
    });
  });
}

test("every setting is described for the reference", () => {
  for (const { variable, description } of sidecarConfig.rows()) assert.notEqual(description, "", variable);
});

test("the default node id is valid for any name, the same after a restart, and different for each sidecar of a host", () => {
  const config = { ...sidecarConfig.load({ FAIRLEAD_APP: "Bestellung & Co/ä" }), inboundPort: 15_006 };
  const id = nodeOf(config, "host.example").id;
  assert.ok(isValidNodeId(id), id);
  assert.equal(id, "sidecar~127.0.0.1~Bestellung---Co---host.example-15006~fairlead");
  assert.notEqual(nodeOf({ ...config, inboundPort: 15_007 }, "host.example").id, id);
  assert.ok(isValidNodeId(nodeOf({ ...config, app: "x".repeat(255), address: "2001:db8::1" }, "h".repeat(255)).id));
});

test("a given node id is taken as it is", () => {
  const config = sidecarConfig.load({
    FAIRLEAD_APP: "orders",
    FAIRLEAD_NODE_ID: "orders-1",
    FAIRLEAD_LABELS: "zone=eu",
  });
  assert.deepEqual(nodeOf(config), {
    id: "orders-1",
    app: "orders",
    address: "127.0.0.1",
    inboundPort: 15006,
    outboundPort: 15001,
    outboundRpcPort: 12220,
    labels: { zone: "eu" },
  });
});
