import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectString } from "./connect-string.ts";
import { ServerRotation } from "./server-rotation.ts";

test("servers with and without ports, IPv6 and a path", () => {
  assert.deepEqual(parseConnectString("zk1, zk2:2182,[::1]:2183/dubbo/"), {
    servers: [
      { host: "zk1", port: 2181 },
      { host: "zk2", port: 2182 },
      { host: "::1", port: 2183 },
    ],
    chroot: "/dubbo",
  });
});

test("what is no address is refused, and shown", () => {
  for (const text of ["", "zk1,,zk2", "zk1:0", "zk1:70000", "http://zk1", "zk1//a"]) {
    assert.throws(() => parseConnectString(text), { code: "FL_ZOOKEEPER_ADDRESS_INVALID" }, text);
  }
});

test("each server has its turn, in an order that differs from client to client", () => {
  const servers = ["a", "b", "c"].map((host) => ({ host, port: 1 }));
  const rotation = new ServerRotation(servers, () => 0);
  const turns = [0, 1, 2, 3].map(() => rotation.next().host);
  assert.deepEqual(new Set(turns.slice(0, 3)), new Set(["a", "b", "c"]));
  assert.notDeepEqual(turns.slice(0, 3), ["a", "b", "c"]);
  assert.equal(turns[3], turns[0]);
});
