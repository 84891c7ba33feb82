import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerStatus } from "../listener/listener-status.ts";
import { ReportedListeners } from "./reported-listeners.ts";

const listenerIn = (state: ListenerStatus["state"]): ListenerStatus[] => [
  { name: "in", address: "127.0.0.1", port: 1, state, activeRequests: 0 },
];

test("a report that comes after a newer one of its worker is left aside", () => {
  const reported = new ReportedListeners();
  assert.deepEqual(reported.of(1), []);
  reported.take(1, { number: 2, listeners: listenerIn("active") });
  reported.take(1, { number: 1, listeners: listenerIn("warming") });
  reported.take(2, { number: 1, listeners: listenerIn("warming") });
  assert.equal(reported.of(1)[0]?.state, "active");
  assert.equal(reported.of(2)[0]?.state, "warming");
  reported.take(1, { number: 3, listeners: [] });
  assert.deepEqual(reported.of(1), []);
});

test("a worker that is started again counts its reports anew", () => {
  const reported = new ReportedListeners();
  reported.take(1, { number: 9, listeners: listenerIn("active") });
  reported.forget(1);
  assert.deepEqual(reported.of(1), []);
  reported.take(1, { number: 1, listeners: listenerIn("warming") });
  assert.equal(reported.of(1)[0]?.state, "warming");
});
