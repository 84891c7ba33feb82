import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { IdTable } from "./id-table.ts";

test("it has what a map of the ids has, whatever comes and goes", () => {
  const id = fc.oneof(fc.nat(40), fc.nat(40).map((n) => n * 2 ** 20 + 1), fc.integer({ min: 0, max: 2 ** 32 - 1 })); // prettier-ignore
  const step = fc.record({ id, adds: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new IdTable<{ readonly id: number }>();
      const model = new Map<number, { readonly id: number }>();
      for (const { id: of, adds } of steps) {
        const known = model.get(of);
        assert.equal(table.get(of), known);
        if (known !== undefined) {
          assert.equal(table.delete(known), model.delete(of));
          assert.equal(table.delete(known), false);
        } else if (adds) {
          model.set(of, { id: of });
          table.add(model.get(of)!);
        } else assert.equal(table.delete({ id: of }), false);
        assert.equal(table.size, model.size);
      }
      for (const [of, value] of model) assert.equal(table.get(of), value);
      assert.deepEqual(new Set(table.all()), new Set(model.values()));
    }),
  );
});

test("what is deleted while all are gone through was gone through as it was", () => {
  const table = new IdTable<{ readonly id: number }>();
  for (let id = 1; id < 100; id += 2) table.add({ id });
  const seen = table.all().map((value) => {
    table.delete(value);
    return value.id;
  });
  assert.deepEqual([new Set(seen).size, table.size], [50, 0]);
  table.add({ id: 1 });
  table.clear();
  assert.deepEqual([table.size, table.get(1), table.has(1)], [0, undefined, false]);
});
