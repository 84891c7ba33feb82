import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { priorityLoads } from "./priority-load.ts";

type Level = readonly [total: number, healthy: number, degraded: number];

function loads(...levels: readonly Level[]): {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  readonly panic: readonly boolean[];
} {
  return priorityLoads(
    levels.map(([total, healthy, degraded]) => ({ total, healthy, degraded })),
    140,
    50,
  );
}

test("a priority spills over when less than 72 % of it are healthy (Envoy's tables)", () => {
  assert.deepEqual(loads([100, 100, 0], [100, 100, 0]).healthy, [100, 0]);
  assert.deepEqual(loads([100, 72, 0], [100, 100, 0]).healthy, [100, 0]);
  assert.deepEqual(loads([100, 71, 0], [100, 100, 0]).healthy, [99, 1]);
  assert.deepEqual(loads([100, 25, 0], [100, 100, 0]).healthy, [35, 65]);
  assert.deepEqual(loads([100, 0, 0], [100, 100, 0]).healthy, [0, 100]);
  assert.deepEqual(loads([100, 50, 0], [100, 50, 0]).healthy, [70, 30]);
  assert.deepEqual(loads([100, 20, 0], [100, 20, 0], [100, 10, 0]).panic, [true, true, true]);
  assert.deepEqual(loads([100, 25, 0], [100, 25, 0]).panic, [true, true]);
  assert.deepEqual(loads([100, 5, 0], [100, 65, 0]).healthy, [8, 92]);
});

test("degraded hosts take what healthy ones cannot", () => {
  const one = loads([100, 25, 75]);
  assert.deepEqual([one.healthy, one.degraded], [[35], [65]]);
  const two = loads([100, 0, 100], [100, 25, 0]);
  assert.deepEqual(
    [two.healthy, two.degraded],
    [
      [0, 35],
      [65, 0],
    ],
  );
});

test("hosts that asked not to be counted on do not make a priority look ill", () => {
  const load = (excluded: number) => priorityLoads([{ total: 4, healthy: 1, degraded: 0, excluded }], 100, 50);
  assert.deepEqual(load(0).panic, [true]);
  assert.deepEqual([load(2).panic, load(2).healthy], [[false], [100]]);
  // Even all of them are chosen from before nobody is.
  const none = priorityLoads([{ total: 2, healthy: 0, degraded: 0, excluded: 2 }], 100, 50);
  assert.deepEqual([none.panic, none.healthy], [[true], [100]]);
});

test("the loads are 100 in all wherever there is a host", () => {
  const level = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map(([a, b, c]): Level => [a + b + c, a, b]);
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), (levels) => {
      const { healthy, degraded } = loads(...levels);
      const total = [...healthy, ...degraded].reduce((sum, load) => sum + load, 0);
      assert.equal(total, levels.some(([hosts]) => hosts > 0) ? 100 : 0, JSON.stringify(levels));
    }),
  );
});
