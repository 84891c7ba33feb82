import assert from "node:assert/strict";
import { test } from "node:test";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { httpConnectionManager } from "./http-connection-manager.ts";

test("WebSocket is allowed for every HTTP service; proxyless clients are not told of it", () => {
  const upgrades = (paths: "canonical" | "asGiven"): readonly string[] | undefined =>
    anyUnpack(httpConnectionManager("p", "r", paths), HttpConnectionManagerSchema)?.upgradeConfigs.map(
      ({ upgradeType }) => upgradeType,
    );
  assert.deepEqual(upgrades("canonical"), ["websocket"]);
  assert.deepEqual(upgrades("asGiven"), []);
});
