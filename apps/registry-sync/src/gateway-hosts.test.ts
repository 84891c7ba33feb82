import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayHosts, isHostRule } from "./gateway-hosts.ts";

const resolve = async (name: string) => (name === "gw-7" ? ["10.0.0.7", "fd00::7"] : []);
const hosts = new GatewayHosts(["192.168.4.0/24", "gateways.example", "fd11::/16"], resolve);

test("a gateway is called on this machine, on its own host, and where the configuration says", async () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "gw-7", "GW-7", "10.0.0.7", "[fd00::7]"]) {
    assert.equal(await hosts.allows("gw-7-0a1b2c3d", host), true, host);
  }
  for (const host of ["192.168.4.200", "gateways.example", "[fd11::9]"]) {
    assert.equal(await hosts.allows("other-0a1b2c3d", host), true, host);
  }
});

test("it is not called anywhere else, whatever it announces", async () => {
  for (const host of [
    "10.0.0.8",
    "169.254.169.254",
    "192.168.5.1",
    "evil.example",
    "x.gateways.example",
    "[fd00::8]",
    "gw-7.evil",
    "",
  ]) {
    assert.equal(await hosts.allows("gw-7-0a1b2c3d", host), false, host);
  }
  assert.equal(await hosts.allows("gw-7", "gw-7"), false, "an id that no gateway makes");
});

test("rules are addresses, networks or names", () => {
  for (const rule of ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "gateways.example"]) assert.ok(isHostRule(rule), rule);
  for (const rule of ["", "10.0.0.0/33", "10.0.0.0/", "name/8", "a b", "http://x", "1/2/3"])
    assert.ok(!isHostRule(rule), rule);
});
