import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectString } from "./connect-string.ts";

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
