import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { setImmediate as settle } from "node:timers/promises";
import type { CatalogueTransaction } from "@fairlead/store";
import { createLogger } from "@fairlead/logging";
import { StoreMonitor } from "./store-monitor.ts";
import { Sweeper } from "./sweeper.ts";

const logger = createLogger({ service: "test", level: "silent" });
const leaseTtlMs = 30_000;

let now: number;
let reachable: boolean;
let migrations: number;
let sweeps: number[];
let monitor: StoreMonitor;
let sweeper: Sweeper;

/** Lets what runs end, then turns both clocks in steps that are shorter than any interval. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    now += 500;
    mock.timers.tick(500);
    for (let turn = 0; turn < 10; turn++) await settle();
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  now = 0;
  reachable = true;
  migrations = 0;
  sweeps = [];
  const store = {
    reachable: () => Promise.resolve(reachable),
    migrate: () => (reachable ? Promise.resolve(void migrations++) : Promise.reject(new Error("down"))),
  };
  monitor = new StoreMonitor({ store, logger, now: () => now });
  const transaction: Pick<CatalogueTransaction, "expireNodes" | "removeUnusedServices"> = {
    expireNodes: async () => {
      sweeps.push(now);
      return [];
    },
    removeUnusedServices: async () => [],
  };
  sweeper = new Sweeper({
    store: {
      write: async (_trace, work) => ({
        result: await work(transaction as CatalogueTransaction),
        revision: 1,
        changed: false,
      }),
      trimChangeLog: async () => 0,
    },
    monitor,
    leaseTtlMs,
    serviceRetentionMs: 1000,
    metrics: { leasesExpired: () => undefined },
    logger,
  });
});
afterEach(async () => {
  await Promise.all([monitor.stop(), sweeper.stop()]);
  mock.timers.reset();
});

function start(): void {
  monitor.start();
  sweeper.start();
}

test("nothing expires for one lease time after the start; the database is migrated once", async () => {
  start();
  await pass(leaseTtlMs - 1000);
  assert.deepEqual(sweeps, []);
  await pass(5000);
  assert.ok(sweeps.length > 0 && sweeps[0]! >= leaseTtlMs, String(sweeps));
  assert.equal(migrations, 1);
});

test("nothing expires while PostgreSQL is away, nor for one lease time after", async () => {
  start();
  await pass(leaseTtlMs + 5000);
  reachable = false;
  await pass(1500);
  assert.equal(monitor.trouble, "PostgreSQL");
  sweeps = [];
  await pass(120_000);
  assert.deepEqual(sweeps, []);
  reachable = true;
  const back = now;
  await pass(leaseTtlMs + 5000);
  assert.ok(sweeps.length > 0 && sweeps[0]! - back >= leaseTtlMs, String(sweeps.map((at) => at - back)));
});

for (const intoInterval of [0, 500, 1000, 1500, 2000, 2500]) {
  test(`a process that was suspended gives nodes one lease time too, whichever timer comes first (${intoInterval} ms)`, async () => {
    start();
    await pass(leaseTtlMs + 5000 + intoInterval);
    sweeps = [];
    now += 300_000; // timers did not run meanwhile
    const awake = now;
    await pass(leaseTtlMs + 5000);
    assert.ok(sweeps.length > 0 && sweeps[0]! - awake >= leaseTtlMs, String(sweeps.map((at) => at - awake)));
  });
}
