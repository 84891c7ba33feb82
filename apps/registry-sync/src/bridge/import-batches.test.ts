import assert from "node:assert/strict";
import { test } from "node:test";
import { inBatches } from "./import-batches.ts";

const providers = (count: number, interfaces: number) =>
  Array.from({ length: count }, (_, id) => ({ id, interface: `org.x.Service${id % interfaces}` }));

test("the first batch is small, the further ones grow up to a limit, and all providers are in one of them", () => {
  const batches = inBatches(providers(10_000, 1000));
  assert.deepEqual(
    batches.map(({ providers: { length } }) => length),
    [500, 1000, 2000, 2500, 2500, 1500],
  );
  const ids = batches.flatMap((batch) => batch.providers.map(({ id }) => id));
  assert.equal(new Set(ids).size, 10_000);
});

test("providers of an interface are in one batch, or in two that follow each other, in whatever order they were read", () => {
  const batchesOf = new Map<string, Set<number>>();
  for (const [index, batch] of inBatches(providers(3000, 40)).entries())
    for (const { interface: name } of batch.providers)
      batchesOf.set(name, (batchesOf.get(name) ?? new Set()).add(index));
  assert.equal(batchesOf.size, 40);
  const apart = [...batchesOf.values()].filter((found) => found.size > 1);
  assert.ok(apart.length <= 3, "one at the end of each batch but the last");
});

test("an interface is complete in the last batch that has a provider of it, and in no other", () => {
  const batches = inBatches(providers(3000, 40));
  const all = Array.from({ length: 40 }, (_, index) => `org.x.Service${index}`);
  const lastOf = (name: string) =>
    batches.findLastIndex((batch) => batch.providers.some((one) => one.interface === name));
  const completeIn = (name: string) =>
    batches.flatMap(({ complete }, index) => (complete.includes(name) ? [index] : []));
  assert.deepEqual(all.map(completeIn), all.map((name) => [lastOf(name)])); // prettier-ignore
});

test("a change of few providers, or of none, is one batch", () => {
  assert.deepEqual(inBatches([]), [{ providers: [], complete: [] }]);
  const few = providers(500, 3);
  assert.deepEqual(inBatches(few), [
    { providers: few, complete: ["org.x.Service0", "org.x.Service1", "org.x.Service2"] },
  ]);
});
