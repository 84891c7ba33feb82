import assert from "node:assert/strict";
import { test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { type HessianValue, Hessian2ValueReader } from "./index.ts";
import { hessian2Bodies } from "./testing/golden-bodies.ts";

const bodies = new Map(hessian2Bodies.map(([name, hex]) => [name, Buffer.from(hex, "hex")]));

function read(bytes: Buffer): HessianValue {
  const reader = new Hessian2ValueReader();
  reader.begin(bytes, 0, bytes.length);
  const value = reader.readValue();
  assert.equal(reader.atEnd, true);
  return value;
}

test("values are what other implementations wrote", () => {
  const expected: Readonly<Record<string, HessianValue>> = {
    null: null,
    true: true,
    "int -2048": -2048,
    "int -2147483648": -2_147_483_648,
    "long 300": 300n,
    "long 100000": 100_000n,
    "long 1234567890123": 1_234_567_890_123n,
    "double 0.5": 0.5,
    "double -3": -3,
    emoji: "é€\u{1f600}",
    "3 bytes": Buffer.from("abc"),
    "date in minutes": new Date(60_000),
    "list of 3": [1, 2, 3],
    "typed map": new Map([["a", 1]]),
  };
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(read(bodies.get(name)!), value, name);
});

test("an object has its fields, and what is there twice is the same", () => {
  const user = read(bodies.get("object")!);
  assert(user instanceof Map);
  assert.deepEqual([...user.keys()], ["name", "age", "friend"]);
  const node = read(bodies.get("cycle")!);
  assert(node instanceof Map);
  assert.equal(node.get("next"), node);
});

test("whatever comes is a value within its bytes, or refused", () => {
  const all = [...bodies.values()];
  const reader = new Hessian2ValueReader();
  const mutation = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.array(mutation, { maxLength: 8 }), fc.nat(), (seed, changes, cut) => {
      const bytes = Buffer.from(seed.subarray(0, cut % (seed.length + 1)));
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      reader.begin(bytes, 0, bytes.length);
      try {
        reader.readValue();
        assert(reader.at <= bytes.length);
      } catch (error) {
        assert(error instanceof FairleadError, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});

test("few bytes cannot make it recurse without end, or write out lists of lists of lists", () => {
  const reader = new Hessian2ValueReader();
  const classes = Buffer.from("43016190".repeat(100_000), "hex");
  reader.begin(classes, 0, classes.length);
  assert.throws(() => reader.readValue(), { code: "FL_HESSIAN_TOO_DEEP" });
  // A map whose key is a list of two references to a list of two references …
  const lists = [
    "7a0101",
    ...Array.from(
      { length: 40 },
      (_, i) => `7a5149${(i + 1).toString(16).padStart(8, "0")}51${(0x91 + i).toString(16)}`,
    ),
  ];
  const map = Buffer.from(`48${lists.join("")}5a`, "hex");
  reader.begin(map, 0, map.length);
  assert.throws(() => reader.readValue(), FairleadError);
});
