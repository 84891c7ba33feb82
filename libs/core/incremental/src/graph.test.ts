import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { computation, Graph, indexOf, input, type Settled } from "./index.ts";

const numbers = input<number>("numbers");
const byParity = indexOf("by parity", numbers, (value) => [value % 2 === 0 ? "even" : "odd"]);

const half = computation("half", (reading, key) => Math.floor((reading.get(numbers, key) ?? 0) / 2));
const described = computation("described", (reading, key) => `${key}=${reading.get(half, key)}`, { isOutput: true });
const evens = computation("evens", (reading) => reading.get(byParity, "even").join(), { isOutput: true });

function outputsOf({ outputs }: Settled): Record<string, [unknown, unknown]> {
  return Object.fromEntries(
    outputs.map(({ computation: { name }, key, before, now }) => [`${name} ${key}`, [before, now]]),
  );
}

test("what reads a changed fact is computed again, and nothing else", () => {
  const graph = new Graph();
  graph.set(numbers, "a", 4);
  graph.set(numbers, "b", 8);
  for (const key of ["a", "b"]) graph.demand(described, key);
  assert.deepEqual(outputsOf(graph.settle()), {
    "described a": [undefined, "a=2"],
    "described b": [undefined, "b=4"],
  });
  graph.set(numbers, "a", 6);
  const settled = graph.settle();
  assert.deepEqual(outputsOf(settled), { "described a": ["a=2", "a=3"] });
  assert.deepEqual(Object.fromEntries(settled.runs), { half: 1, described: 1 });
});

test("an equal value goes no further", () => {
  const graph = new Graph();
  graph.set(numbers, "a", 4);
  graph.demand(described, "a");
  graph.settle();
  graph.set(numbers, "a", 5);
  const settled = graph.settle();
  assert.deepEqual(Object.fromEntries(settled.runs), { half: 1 });
  assert.deepEqual(settled.outputs, []);
  graph.set(numbers, "a", 5);
  assert.equal(graph.settle().runs.size, 0, "a fact that is set to what it is");
});

test("an index changes when a key joins or leaves, not when a value in it changes", () => {
  const graph = new Graph();
  graph.demand(evens, "");
  graph.settle();
  graph.set(numbers, "b", 2);
  graph.set(numbers, "a", 2);
  assert.deepEqual(outputsOf(graph.settle()), { "evens ": ["", "a,b"] });
  graph.set(numbers, "a", 8);
  assert.equal(graph.settle().runs.size, 0);
  graph.set(numbers, "a", 7);
  assert.deepEqual(outputsOf(graph.settle()), { "evens ": ["a,b", "b"] });
  graph.set(numbers, "b", undefined);
  assert.deepEqual(outputsOf(graph.settle()), { "evens ": ["b", ""] });
});

describe("holding", () => {
  const each = computation("each", (reading) => {
    for (const key of reading.get(byParity, "even")) reading.hold(described, key);
  });

  test("what is held is kept up to date without its holder; what nobody holds any more is dropped", () => {
    const graph = new Graph();
    graph.demand(each, "");
    graph.set(numbers, "a", 2);
    graph.set(numbers, "b", 4);
    assert.equal(graph.settle().outputs.length, 2);
    graph.set(numbers, "a", 6);
    const settled = graph.settle();
    assert.equal(settled.runs.get("each"), undefined);
    assert.deepEqual(outputsOf(settled), { "described a": ["a=1", "a=3"] });
    graph.set(numbers, "a", 7);
    assert.deepEqual(outputsOf(graph.settle()), { "described a": ["a=3", undefined] });
    graph.set(numbers, "a", 9);
    assert.equal(graph.settle().runs.size, 0, "nobody wants it");
    graph.release(each, "");
    assert.deepEqual(outputsOf(graph.settle()), { "described b": ["b=2", undefined] });
  });
});

test("an error reaches who reads; with it gone they are computed again", () => {
  const strict = computation("strict", (reading, key) => {
    const value = reading.get(numbers, key);
    if (value === undefined) throw new Error(`no ${key}`);
    return value;
  });
  const lenient = computation(
    "lenient",
    (reading, key) => {
      try {
        return String(reading.get(strict, key));
      } catch (error) {
        return (error as Error).message;
      }
    },
    { isOutput: true },
  );
  const graph = new Graph();
  graph.demand(lenient, "a");
  assert.deepEqual(outputsOf(graph.settle()), { "lenient a": [undefined, "no a"] });
  graph.set(numbers, "a", 1);
  assert.deepEqual(outputsOf(graph.settle()), { "lenient a": ["no a", "1"] });
  graph.set(numbers, "a", undefined);
  assert.deepEqual(outputsOf(graph.settle()), { "lenient a": ["1", "no a"] });
  graph.set(numbers, "a", 1);
  assert.deepEqual(outputsOf(graph.settle()), { "lenient a": ["no a", "1"] }, "the value of before the error, again");
});

test("an output that throws keeps its value, and is named", () => {
  const odd = computation(
    "odd",
    (reading, key) => {
      const value = reading.get(numbers, key) ?? 0;
      if (value % 2 === 0) throw new Error(`${value} is even`);
      return value;
    },
    { isOutput: true },
  );
  const graph = new Graph();
  graph.set(numbers, "a", 1);
  graph.demand(odd, "a");
  graph.settle();
  graph.set(numbers, "a", 2);
  const { outputs, failed } = graph.settle();
  assert.deepEqual(outputs, []);
  assert.match(String(failed[0]!.error), /2 is even/);
});

test("a function may fall back on its value of before; the first one's is given", () => {
  const lastSmall = computation<number | undefined>(
    "last small",
    (reading, key, previous) => {
      const value = reading.get(numbers, key) ?? 0;
      return value < 10 ? value : previous;
    },
    { isOutput: true },
  );
  const graph = new Graph((_, key) => (key === "a" ? 3 : undefined));
  graph.set(numbers, "a", 10);
  graph.demand(lastSmall, "a");
  assert.deepEqual(outputsOf(graph.settle()), { "last small a": [undefined, 3] });
  graph.set(numbers, "a", 4);
  graph.settle();
  graph.set(numbers, "a", 11);
  assert.deepEqual(outputsOf(graph.settle()), {});
});

test("a computation that depends on itself fails", () => {
  const self = computation("self", (reading, key): unknown => reading.get(self, key), { isOutput: true });
  const graph = new Graph();
  graph.demand(self, "x");
  assert.match(String(graph.settle().failed[0]!.error), /self of "x" depends on itself/);
});

/** A computation reads its cell, and by what is there one or the other of those before it. */
const cells = input<number>("cells");
const layered = computation(
  "layered",
  (reading, key): number => {
    const value = reading.get(cells, key) ?? 0;
    const place = Number(key);
    if (place === 0) return value % 3;
    const other = reading.get(layered, String(Math.floor(place / (value % 2 === 0 ? 2 : 3))));
    // Few different values: equal ones are common.
    return (value + other + (other % 2 === 0 ? reading.get(layered, String(place - 1)) : 0)) % 3;
  },
  { isOutput: true },
);

function directly(values: ReadonlyMap<number, number>, place: number): number {
  const value = values.get(place) ?? 0;
  if (place === 0) return value % 3;
  const other = directly(values, Math.floor(place / (value % 2 === 0 ? 2 : 3)));
  return (value + other + (other % 2 === 0 ? directly(values, place - 1) : 0)) % 3;
}

test("after any changes and demands every value is what a computation from nothing gives, and none ran twice", () => {
  const size = 12;
  const step = fc.record({
    sets: fc.array(fc.tuple(fc.nat(size - 1), fc.option(fc.nat(5), { nil: undefined })), { maxLength: 4 }),
    demands: fc.array(fc.nat(size - 1), { maxLength: 3 }),
    releases: fc.array(fc.nat(size - 1), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const graph = new Graph();
      const values = new Map<number, number>();
      const demanded = new Set<number>();
      const known = new Map<string, unknown>();
      for (const { sets, demands, releases } of steps) {
        for (const [place, value] of sets) {
          graph.set(cells, String(place), value);
          if (value === undefined) values.delete(place);
          else values.set(place, value);
        }
        for (const place of demands) {
          graph.demand(layered, String(place));
          demanded.add(place);
        }
        for (const place of releases) {
          graph.release(layered, String(place));
          demanded.delete(place);
        }
        const { outputs, runs } = graph.settle();
        for (const { key, before, now } of outputs) {
          assert.equal(before, known.get(key));
          assert.notEqual(before, now);
          if (now === undefined) known.delete(key);
          else known.set(key, now);
        }
        assert.ok((runs.get("layered") ?? 0) <= size);
        for (const [key, value] of known) assert.equal(value, directly(values, Number(key)));
        for (const place of demanded) assert.ok(known.has(String(place)));
        if (demanded.size === 0) assert.equal(known.size, 0);
      }
    }),
    { numRuns: 300 },
  );
});

test("what is demanded of each key of an input comes and goes with the keys", () => {
  const graph = new Graph();
  graph.demandEach(numbers, described);
  graph.set(numbers, "a", 2);
  assert.deepEqual(outputsOf(graph.settle()), { "described a": [undefined, "a=1"] });
  graph.set(numbers, "a", undefined);
  graph.set(numbers, "b", 2);
  assert.deepEqual(outputsOf(graph.settle()), { "described a": ["a=1", undefined], "described b": [undefined, "b=1"] });
});
