import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterBaseline } from "./counter-baseline.ts";
import { masked } from "./field-mask.ts";

test("a mask leaves the fields that it names, in lists too, and the whole of a field wins over a part of it", () => {
  const value = { name: "a", config: { name: "b", list: [{ x: 1, y: 2 }, { x: 3 }] }, state: "active" };
  assert.deepEqual(masked(value, ["name", "config.list.x"]), { name: "a", config: { list: [{ x: 1 }, { x: 3 }] } });
  assert.deepEqual(masked(value, ["config.name", "config"]), { config: value.config });
  assert.deepEqual(masked(value, ["config", "config.name"]), { config: value.config });
  assert.deepEqual(masked(value, ["none"]), {});
});

test("counters begin at zero after a reset, gauges go on, and what began anew is shown as it is", () => {
  const baseline = new CounterBaseline();
  const stats = (total: number, active: number) =>
    new Map([
      ["cluster.a.upstream_rq_total", total],
      ["cluster.a.upstream_rq_active", active],
    ]);
  assert.deepEqual(baseline.since(stats(5, 2)), stats(5, 2));
  baseline.reset(stats(5, 2));
  assert.deepEqual(baseline.since(stats(5, 2)), stats(0, 2));
  assert.deepEqual(baseline.since(stats(8, 1)), stats(3, 1));
  assert.deepEqual(baseline.since(stats(4, 0)), stats(4, 0));
});
