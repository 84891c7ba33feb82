import assert from "node:assert/strict";
import { setImmediate as settle } from "node:timers/promises";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";
import { NodeLease } from "./node-lease.ts";

const away = () => new FairleadError("FL_REGISTRY_UNAVAILABLE", "the registry is away");
const unknown = () =>
  new RelayedError({ status: 404, code: "FL_NODE_UNKNOWN", message: "unknown", action: "", facts: {} });
let calls: string[];
/** What the next calls do, in order. */
let next: (Error | undefined)[];
let lease: NodeLease;

async function call(what: string): Promise<void> {
  calls.push(what);
  const outcome = next.shift();
  if (outcome !== undefined) throw outcome;
}
async function tick(ms: number): Promise<void> {
  mock.timers.tick(ms);
  for (let count = 0; count < 5; count += 1) await settle();
}

beforeEach(async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  calls = [];
  next = [];
  lease = new NodeLease({
    registry: {
      registerNode: async () => await call("register"),
      renewLease: async () => await call("renew").then(() => 30_000),
    },
    ttlMs: 30_000,
    adopt: async () => await call("adopt"),
    restore: async () => await call("restore"),
    logger: { info: () => undefined, warn: () => undefined },
    random: () => 0.5,
  });
});
afterEach(async () => {
  await lease.stop();
  mock.timers.reset();
});

test("registers, then renews at a third of the lease time", async () => {
  lease.start();
  await tick(0);
  assert.deepEqual(calls, ["register", "adopt"]);
  assert.equal(lease.state().registered, true);
  await tick(9999);
  assert.equal(calls.length, 2);
  await tick(1);
  await tick(10_000);
  assert.deepEqual(calls, ["register", "adopt", "renew", "renew"]);
});

test("a registry that is away is asked again until it is there", async () => {
  next = [away(), away(), away()];
  lease.start();
  await tick(0);
  assert.deepEqual(lease.state(), { registered: false, renewedAtMs: undefined, error: "the registry is away" });
  for (const delay of [250, 500, 1000]) await tick(delay);
  assert.deepEqual(calls, ["register", "register", "register", "register", "adopt"]);
  assert.equal(lease.state().registered, true);
  assert.equal(lease.state().error, undefined);
});

test("a node that the registry lost is registered again with all that it had, also over a further loss", async () => {
  lease.start();
  await tick(0);
  next = [unknown(), undefined, away(), away()];
  await tick(10_000);
  assert.equal(lease.state().registered, false);
  await tick(250);
  await tick(500);
  assert.deepEqual(calls, ["register", "adopt", "renew", "register", "restore", "register", "register", "restore"]);
  assert.equal(lease.state().registered, true);
});

test("stop ends it, also while it waits", async () => {
  next = [away()];
  lease.start();
  await tick(0);
  await lease.stop();
  await tick(60_000);
  assert.deepEqual(calls, ["register"]);
});
