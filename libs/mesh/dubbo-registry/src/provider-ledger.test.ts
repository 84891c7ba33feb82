import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseProvider, type Provider, providerKey, ProviderLedger } from "./index.ts";

const provider = (port: number, more = ""): Provider => {
  const parsed = parseProvider(`dubbo://10.0.0.1:${port}/org.x.Greeter?application=a${more}`, "org.x.Greeter");
  assert(parsed !== undefined);
  return parsed;
};
const ports = (providers: readonly Provider[]) => providers.map(({ port }) => port);
const reading = (...all: number[]) => new Map(all.map((port) => [`/p/${port}`, [provider(port)]]));

test("what appears is told at once, what disappears after the delay", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 3000 });
  ledger.readAll(reading(1, 2, 3), 0);
  assert.deepEqual(ports(ledger.take(0).put), [1, 2, 3]);
  ledger.remove("/p/2", provider(2), 1000);
  assert.equal(ledger.nextMs, 4000);
  assert.deepEqual(ledger.take(3999), { put: [], removed: [] });
  assert.deepEqual(ports(ledger.take(4000).removed), [2]);
  assert.equal(ledger.nextMs, undefined);
});

test("a provider that restarts within the delay was never away; one that comes back with other facts is told", () => {
  const ledger = new ProviderLedger();
  ledger.readAll(reading(1), 0);
  ledger.take(0);
  ledger.remove("/p/1", provider(1), 10);
  ledger.add("/p/1", provider(1));
  assert.deepEqual(ledger.take(20), { put: [], removed: [] });
  ledger.remove("/p/1", provider(1), 30);
  ledger.add("/p/1-again", provider(1, "&weight=50"));
  assert.deepEqual(
    ledger.take(40).put.map(({ weight }) => weight),
    [50],
  );
  assert.deepEqual(ledger.take(99_999), { put: [], removed: [] });
});

test("registered at two levels, it is one, and there until it is gone from both", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 0 });
  ledger.add("/dubbo/x", provider(1));
  ledger.add("/services/a", provider(1));
  assert.equal(ledger.take(0).put.length, 1);
  ledger.remove("/dubbo/x", provider(1), 1);
  assert.deepEqual(ledger.take(9), { put: [], removed: [] });
  ledger.remove("/services/a", provider(1), 10);
  assert.equal(ledger.take(10).removed.length, 1);
});

test("a registry that comes back without most of them has lost them: they are kept, and go when they do not return", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 3000, lossHoldMs: 120_000 });
  ledger.readAll(reading(1, 2, 3, 4), 0);
  ledger.take(0);
  assert.deepEqual(ledger.readAll(new Map(), 1000), { missing: 4, held: true });
  assert.deepEqual(ledger.take(100_000), { put: [], removed: [] });
  ledger.add("/p/1", provider(1));
  assert.deepEqual(ledger.take(100_001), { put: [], removed: [] });
  assert.deepEqual(ports(ledger.take(121_000).removed), [2, 3, 4]);
});

test("a second empty reading does not give them more time", () => {
  const ledger = new ProviderLedger({ lossHoldMs: 100 });
  ledger.readAll(reading(1), 0);
  ledger.take(0);
  ledger.readAll(new Map(), 10);
  ledger.readAll(new Map(), 90);
  assert.equal(ledger.take(110).removed.length, 1);
});

test("a registry that comes back without a few of them: they are gone", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 3000 });
  ledger.readAll(reading(1, 2, 3, 4), 0);
  ledger.take(0);
  assert.deepEqual(ledger.readAll(reading(1, 2, 3), 1000), { missing: 1, held: false });
  assert.deepEqual(ports(ledger.take(4000).removed), [4]);
});

test("an owner that takes over keeps what the mesh has until it has read everything", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 3000 });
  ledger.restore([provider(1), provider(2), provider(3)]);
  assert.deepEqual(ledger.take(1_000_000), { put: [], removed: [] });
  ledger.readAll(reading(1, 2, 4), 0);
  assert.deepEqual(ports(ledger.take(0).put), [4]);
  assert.deepEqual(ports(ledger.take(3000).removed), [3]);
});

test("what could not be written is told again", () => {
  const ledger = new ProviderLedger({ removalDelayMs: 0 });
  ledger.readAll(reading(1, 2), 0);
  ledger.retell(ledger.take(0), 0);
  assert.deepEqual(ports(ledger.take(0).put), [1, 2]);
  ledger.remove("/p/2", provider(2), 5);
  ledger.retell(ledger.take(5), 5);
  assert.deepEqual(ports(ledger.take(6).removed), [2]);
});

test("in the end the mesh has what the registry has, whatever happened on the way", () => {
  const port = fc.integer({ min: 1, max: 6 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), port, weight: fc.constantFrom("", "&weight=5") }),
    fc.record({ kind: fc.constant("remove" as const), port }),
    fc.record({ kind: fc.constant("read" as const), ports: fc.uniqueArray(port) }),
    fc.record({ kind: fc.constant("take" as const), fails: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const ledger = new ProviderLedger({ removalDelayMs: 5, lossHoldMs: 20 });
      const registry = new Map<string, Provider>();
      const mesh = new Map<string, Provider>();
      const take = (nowMs: number, fails: boolean) => {
        const changes = ledger.take(nowMs);
        if (fails) {
          ledger.retell(changes, nowMs);
          return;
        }
        for (const removed of changes.removed) mesh.delete(providerKey(removed));
        for (const put of changes.put) mesh.set(providerKey(put), put);
      };
      let nowMs = 0;
      for (const each of steps) {
        nowMs += 3;
        if (each.kind === "add") {
          registry.set(`/p/${each.port}`, provider(each.port, each.weight));
          ledger.add(`/p/${each.port}`, provider(each.port, each.weight));
        } else if (each.kind === "remove") {
          registry.delete(`/p/${each.port}`);
          ledger.remove(`/p/${each.port}`, provider(each.port), nowMs);
        } else if (each.kind === "read") {
          registry.clear();
          for (const one of each.ports) registry.set(`/p/${one}`, provider(one));
          ledger.readAll(new Map([...registry].map(([source, found]) => [source, [found]])), nowMs);
        } else take(nowMs, each.fails);
      }
      take(nowMs + 1000, false);
      const facts = (providers: Iterable<Provider>) =>
        [...providers].map(({ port: p, weight }) => `${p}/${weight}`).toSorted();
      assert.deepEqual(facts(mesh.values()), facts(registry.values()));
    }),
    { numRuns: 1000 },
  );
});

test("what the mesh has where somebody is still being asked stays until that one has told what it serves, or is gone", () => {
  const endpoint = (...at: number[]) => ({ address: "10.0.0.1", ports: at });
  const ledger = new ProviderLedger({ removalDelayMs: 3000 });
  ledger.restore([1, 2, 3, 4, 5].map((port) => provider(port)));
  const asked = new Map([
    ["/s/1", endpoint(1)],
    ["/s/2", endpoint(2)],
    ["/t/2", endpoint(2)],
    ["/s/9", { address: "10.0.0.9", ports: [] }],
  ]);
  assert.deepEqual(ledger.readAll(reading(4, 5), 0, asked), { missing: 1, held: false });
  assert.deepEqual(ports(ledger.take(90_000).removed), [3]);
  assert.equal(ledger.nextMs, undefined);
  ledger.add("/s/1", provider(1));
  ledger.settle("/s/1", 100_000);
  ledger.settle("/s/2", 100_000);
  assert.deepEqual(ledger.take(200_000).removed, [], "another one may still say that it is there");
  ledger.settle("/t/2", 200_000);
  assert.deepEqual(ledger.take(202_999).removed, []);
  assert.deepEqual(ports(ledger.take(203_000).removed), [2]);
  // Its own source is there again with something else, and has not told it; what another source had is gone.
  const again = ledger.readAll(new Map(), 300_000, new Map([["/s/1", endpoint()], ["/s/4", endpoint(4)]])); // prettier-ignore
  assert.deepEqual(again, { missing: 2, held: true });
  assert.deepEqual(ports(ledger.take(900_000).removed), [4, 5]);
  assert.equal(ledger.size, 1);
});
