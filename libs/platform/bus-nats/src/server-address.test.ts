import assert from "node:assert/strict";
import { test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { parseServers } from "./server-address.ts";

const rows = [
  ["nats://h", ["h:4222"], false, undefined],
  ["h:1", ["h:1"], false, undefined],
  ["nats://a:1, nats://b", ["a:1", "b:4222"], false, undefined],
  ["tls://h:4443", ["h:4443"], true, undefined],
  ["nats://[::1]:5", ["[::1]:5"], false, undefined],
  ["nats://u:p%40%2Fx@h", ["h:4222"], false, { user: "u", pass: "p@/x" }],
  ["nats://tok%20en@h", ["h:4222"], false, { token: "tok en" }],
  ["nats://a,nats://u:p@b", ["a:4222", "b:4222"], false, { user: "u", pass: "p" }],
] as const;

for (const [text, hosts, tls, login] of rows) {
  void test(`parseServers(${text})`, () => assert.deepEqual(parseServers(text), { hosts, tls, login }));
}

void test("what is no address is refused without repeating its password", () => {
  for (const bad of [
    "",
    "http://u:secret@h",
    "nats://",
    "nats://u:secret@",
    "nats://u:secret@h:99999",
    "nats://u:%zzsecret@h",
    "h,,g",
  ]) {
    assert.throws(
      () => parseServers(bad),
      (error) =>
        error instanceof FairleadError && error.code === "FL_BUS_NAME_INVALID" && !error.message.includes("secret"),
      bad,
    );
  }
});
