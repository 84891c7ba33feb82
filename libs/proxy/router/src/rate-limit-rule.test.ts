import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderMap, type RequestHead } from "@fairlead/proxy-stream";
import { maskedAddress } from "./masked-address.ts";
import { compileRateLimits, descriptorEntry, type RateLimitAction } from "./rate-limit-rule.ts";

const head: RequestHead = {
  method: "GET",
  path: "/a?plan=free",
  authority: "shop",
  scheme: "http",
  headers: new HeaderMap(["x-user", "anna"]),
};

function describe(...actions: RateLimitAction[]): string | undefined {
  const facts = { clientAddress: "10.1.2.3", cluster: "backend" };
  return compileRateLimits([{ stage: 0, actions }], "rate_limits")[0]?.describe(head, facts);
}

const header = (name: string, skipIfAbsent = false): RateLimitAction => ({
  kind: "requestHeader",
  key: "h",
  name,
  skipIfAbsent,
});
const plan = (value: string, expected = true): RateLimitAction => ({
  kind: "queryMatch",
  key: "q",
  value: "yes",
  expected,
  parameters: [{ name: "plan", match: { kind: "exact", value } }],
});
const user = (value: string, expected = true): RateLimitAction => ({
  kind: "headerMatch",
  key: "m",
  value: "yes",
  expected,
  headers: [{ name: "x-user", match: { kind: "exact", value } }],
});

test("a descriptor has the entries of its actions, in their order", () => {
  const generic: RateLimitAction = { kind: "genericKey", key: "g", value: "1" };
  assert.equal(describe(generic, header("x-user")), descriptorEntry("g", "1") + descriptorEntry("h", "anna"));
  assert.equal(describe(header(":path")), descriptorEntry("h", "/a?plan=free"));
  assert.equal(
    describe({ kind: "remoteAddress" }, { kind: "destinationCluster" }),
    descriptorEntry("remote_address", "10.1.2.3") + descriptorEntry("destination_cluster", "backend"),
  );
  assert.equal(
    describe({ kind: "maskedRemoteAddress", ipv4Bits: 16, ipv6Bits: 64 }),
    descriptorEntry("masked_remote_address", "10.1.0.0/16"),
  );
});

test("where an action finds nothing there is no descriptor, unless it may be left out", () => {
  const generic: RateLimitAction = { kind: "genericKey", key: "g", value: "1" };
  assert.equal(describe(generic, header("x-none")), undefined);
  assert.equal(describe(generic, header("x-none", true)), descriptorEntry("g", "1"));
  assert.equal(describe(header("x-none", true)), undefined);
});

test("headers and query parameters match, or do not", () => {
  assert.equal(describe(plan("free")), descriptorEntry("q", "yes"));
  assert.equal(describe(plan("free", false)), undefined);
  assert.equal(describe(plan("paid")), undefined);
  assert.equal(describe(plan("paid", false)), descriptorEntry("q", "yes"));
  assert.equal(describe(user("anna")), descriptorEntry("m", "yes"));
  assert.equal(describe(user("bert")), undefined);
  assert.equal(describe(user("bert", false)), descriptorEntry("m", "yes"));
});

test("an address is masked by its bits", () => {
  assert.deepEqual(
    [maskedAddress("192.168.255.255", 20, 0), maskedAddress("192.168.1.1", 0, 0), maskedAddress("1.2.3.4", 32, 0)],
    ["192.168.240.0/20", "0.0.0.0/0", "1.2.3.4/32"],
  );
  assert.deepEqual(
    [
      maskedAddress("2001:db8:1:2:3:4:5:6", 0, 52),
      maskedAddress("2001:db8::1", 0, 128),
      maskedAddress("::1", 0, 0),
      maskedAddress("::ffff:10.1.2.3", 0, 112),
    ],
    ["2001:db8:1::/52", "2001:db8::1/128", "::/0", "::ffff:a01:0/112"],
  );
});
