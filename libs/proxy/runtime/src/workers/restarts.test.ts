import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_RESTARTS, Restarts } from "./restarts.ts";

test("so many restarts a minute, and not one more", () => {
  let now = 0;
  const restarts = new Restarts(() => now);
  const allowed = Array.from({ length: MAX_RESTARTS + 1 }, () => {
    now += 1000;
    return restarts.allow();
  });
  assert.deepEqual(allowed, [...Array.from({ length: MAX_RESTARTS }, () => true), false]);
  now += 60_000;
  assert.equal(restarts.allow(), true);
});
