import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeGatewayConfig } from "./config.ts";
import { nodeOf } from "./node-identity.ts";

test("nothing is required: a gateway on loopback with the label that a Gateway selects", () => {
  const config = edgeGatewayConfig.load({});
  assert.deepEqual(nodeOf(config, "host-1"), {
    id: "router~127.0.0.1~edge-gateway-host-1~fairlead",
    app: "edge-gateway",
    address: "127.0.0.1",
    labels: { app: "edge-gateway" },
  });
  assert.equal(config.accessLog, 1);
  assert.equal(config.adminBind, "127.0.0.1");
});

test("where the access log goes", () => {
  const targetOf = (text: string) => edgeGatewayConfig.load({ FAIRLEAD_ACCESS_LOG: text }).accessLog;
  assert.deepEqual(["off", "stderr", "file:/var/log/x"].map(targetOf), [undefined, 2, "/var/log/x"]);
  assert.throws(() => targetOf("/var/log/x"), {
    message: /FAIRLEAD_ACCESS_LOG: expected off, stdout, stderr or file:<path>/,
  });
});

test("every setting is described for the reference", () => {
  for (const { variable, description } of edgeGatewayConfig.rows()) assert.notEqual(description, "", variable);
});
