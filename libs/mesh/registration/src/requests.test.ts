import assert from "node:assert/strict";
import { test } from "node:test";
import {
  publishRequestSchema,
  registerNodeRequestSchema,
  subscribeRequestSchema,
  unpublishRequestSchema,
  waitQuerySchema,
} from "./index.ts";

const node = { id: "n1", app: "shop", address: "10.0.0.1" };

test("a publication gets its defaults", () => {
  assert.deepEqual(publishRequestSchema.parse({ service: { interface: "shop.Orders", port: 8080 }, node }), {
    service: {
      interface: "shop.Orders",
      protocol: "http",
      port: 8080,
      version: "",
      group: "",
      methods: [],
      labels: {},
      weight: 100,
    },
    node: { ...node, labels: {} },
    state: "ready",
  });
});

test("a withdrawal takes the body of the publication as it was", () => {
  const published = { interface: "shop.Orders", port: 8080, methods: ["a"], labels: { a: "b" }, weight: 5 };
  assert.equal(unpublishRequestSchema.parse({ service: published, node: { id: "n1" } }).service.port, 8080);
  assert.equal(
    unpublishRequestSchema.parse({ service: { interface: "shop.Orders" }, node: { id: "n1" } }).service.port,
    undefined,
  );
  assert.equal(
    unpublishRequestSchema.safeParse({ service: published, node }).success,
    false,
    "a withdrawal names the node only",
  );
  assert.equal(subscribeRequestSchema.safeParse({ service: { interface: "shop.Orders" }, node }).success, true);
});

test("names have the characters that all that follows can hold", () => {
  for (const [app, good] of [
    ["shop", true],
    ["Müller & Söhne 2", true],
    ["", false],
    ["a\nb", false],
    ["a\u0000", false],
    ["\ud800", false],
    ["x".repeat(256), false],
  ] as const) {
    assert.equal(registerNodeRequestSchema.safeParse({ node: { ...node, app } }).success, good, JSON.stringify(app));
  }
  for (const [address, good] of [
    ["10.0.0.1", true],
    ["fd00::1", true],
    ["shop.internal", false],
    ["10.0.0.256", false],
    ["[::1]", false],
  ] as const) {
    assert.equal(registerNodeRequestSchema.safeParse({ node: { ...node, address } }).success, good, address);
  }
});

test("?timeout has a unit, and a limit", () => {
  assert.deepEqual(waitQuerySchema.parse({}), { timeout: 10_000 });
  assert.deepEqual(waitQuerySchema.parse({ wait: "converged", timeout: "250ms" }), { wait: "converged", timeout: 250 });
  assert.equal(waitQuerySchema.parse({ timeout: "5m" }).timeout, 300_000);
  for (const timeout of ["10", "6m", "-1s", "1h", "", "1.5s", "9999999999s"]) {
    assert.equal(waitQuerySchema.safeParse({ timeout }).success, false, timeout);
  }
});

test("a name that proxies or hosts use themselves cannot be published or called, but taken back", () => {
  const reserved = [
    "localhost",
    "LocalHost",
    "127.0.0.1",
    "10.1",
    "2130706433",
    "0x7f000001",
    "inbound",
    "outbound",
    "__proto__",
  ];
  for (const name of reserved) {
    const service = { interface: name, port: 1 };
    for (const schema of [publishRequestSchema, subscribeRequestSchema]) {
      const { error } = schema.safeParse({ service, node });
      assert.match(error?.issues[0]?.message ?? "", /IP address|use themselves/, name);
    }
    assert.equal(unpublishRequestSchema.safeParse({ service, node: { id: "n1" } }).success, true, name);
  }
  for (const name of ["shop.Orders", "localhost.Orders", "v1", "shop.1", "x0x7f"])
    assert.equal(publishRequestSchema.safeParse({ service: { interface: name, port: 1 }, node }).success, true, name);
});
