import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdsState } from "@fairlead/proxy-xds-client";
import { missingToServe } from "./readiness.ts";

const ads: AdsState = {
  connected: true,
  address: "127.0.0.1:15010",
  lastConnectedAtMs: 1,
  lastError: undefined,
  phase: "initialized",
  types: [],
};
const outbound = { name: "outbound", address: "127.0.0.1", port: 15001, state: "active", activeRequests: 0 } as const;

test("the proxy waits for its configuration and its outbound listener", () => {
  const listening = { listeners: () => [outbound] };
  const none = { listeners: () => [] };
  assert.deepEqual(missingToServe(ads, listening), []);
  assert.deepEqual(missingToServe(ads, none), ["the outbound listener"]);
  assert.deepEqual(missingToServe({ ...ads, phase: "clusters" }, none), [
    "clusters from 127.0.0.1:15010",
    "the outbound listener",
  ]);
  const unconnected = { ...ads, phase: "clusters", connected: false, lastError: "UNAVAILABLE" } as const;
  assert.deepEqual(missingToServe(unconnected, listening), ["ads-gateway 127.0.0.1:15010: UNAVAILABLE"]);
});
