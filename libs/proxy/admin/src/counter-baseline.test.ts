import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterBaseline } from "./counter-baseline.ts";

test("counters begin at zero after a reset, gauges go on, and what began anew is shown as it is", () => {
  const baseline = new CounterBaseline();
  const stats = (total: number, active: number) => ({
    numbers: new Map([
      ["cluster.a.upstream_rq_total", total],
      ["cluster.a.upstream_rq_active", active],
    ]),
    histograms: new Map(),
  });
  assert.deepEqual(baseline.since(stats(5, 2)), stats(5, 2));
  baseline.reset(stats(5, 2));
  assert.deepEqual(baseline.since(stats(5, 2)), stats(0, 2));
  assert.deepEqual(baseline.since(stats(8, 1)), stats(3, 1));
  assert.deepEqual(baseline.since(stats(4, 0)), stats(4, 0));
});
