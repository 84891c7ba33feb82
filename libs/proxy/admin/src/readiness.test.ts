import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdsState } from "@fairlead/proxy-xds-client";
import { serverStateOf, waitsForConfig, waitsForWorkers, warmsBeforeTakeover } from "./readiness.ts";

const ads = (more: Partial<AdsState>): AdsState =>
  ({ phase: "clusters", connected: true, address: "h:15010", lastError: undefined, ...more }) as AdsState;

test("a proxy waits for its configuration, and says from where, or why it does not come", () => {
  assert.deepEqual(waitsForConfig(ads({ phase: "initialized" })), []);
  assert.deepEqual(waitsForConfig(ads({})), ["clusters from h:15010"]);
  assert.deepEqual(waitsForConfig(ads({ connected: false })), ["ads-gateway h:15010: connecting"]);
  assert.deepEqual(waitsForConfig(ads({ connected: false, lastError: "refused" })), ["ads-gateway h:15010: refused"]);
});

test("it is live only when it waits for nothing, and draining wins", () => {
  assert.equal(serverStateOf(false, ["x"]), "INITIALIZING");
  assert.equal(serverStateOf(false, []), "LIVE");
  assert.equal(serverStateOf(true, []), "DRAINING");
});

test("it is not ready while one of its threads hangs, and says which", () => {
  assert.deepEqual(waitsForWorkers({ stuckWorkers: () => ["worker 1"] }), ["worker 1, which is stuck"]);
  assert.deepEqual(waitsForWorkers({ stuckWorkers: () => [] }), []);
  assert.deepEqual(waitsForWorkers({}), [], "one thread could not tell");
});

test("a process that replaces another waits for listeners, and for secrets that the other one may have", () => {
  const proxy = {
    listeners: () => [
      { name: "in", state: "warming" },
      { name: "out", state: "active" },
    ],
    missingSecrets: () => ["client"],
  };
  assert.deepEqual(warmsBeforeTakeover(proxy, true), ["listener in", "secret client"]);
  assert.deepEqual(warmsBeforeTakeover(proxy, false), ["listener in"], "the first one serves what it can");
});
