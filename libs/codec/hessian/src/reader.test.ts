import assert from "node:assert/strict";
import { test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { Hessian2Reader, type HessianReader, hessian2String, SofaHessianReader, sofaHessianString } from "./index.ts";
import { hessian2Bodies, sofaBodies } from "./testing/golden-bodies.ts";

const grammars = [
  { name: "Hessian 2.0", reader: new Hessian2Reader(), bodies: hessian2Bodies, write: hessian2String },
  { name: "SOFA's draft", reader: new SofaHessianReader(), bodies: sofaBodies, write: sofaHessianString },
];

function skipOne(reader: HessianReader, bytes: Buffer): number {
  reader.begin(bytes, 0, bytes.length);
  reader.skip();
  return reader.at;
}

for (const { name, reader, bodies, write } of grammars) {
  for (const [what, hex] of bodies) {
    test(`${name}: ${what} is skipped to its last byte`, () => {
      const body = Buffer.from(hex, "hex");
      assert.equal(skipOne(reader, Buffer.concat([body, body])), body.length);
    });
  }

  test(`${name}: no body is accepted that lacks its last byte, or more`, () => {
    for (const [what, hex] of bodies) {
      const body = Buffer.from(hex, "hex");
      for (let length = 0; length < body.length; length++) {
        assert.throws(() => skipOne(reader, body.subarray(0, length)), FairleadError, `${what}, ${length} bytes`);
      }
    }
  });

  test(`${name}: bytes of any kind end in a value within them, or in a FairleadError`, () => {
    const seeds = bodies.map(([, hex]) => Buffer.from(hex, "hex"));
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(Buffer.alloc(0), ...seeds),
        fc.uint8Array({ maxLength: 60 }),
        fc.array(mutation, { maxLength: 4 }),
        (seed, noise, mutations) => {
          const bytes = Buffer.concat([seed, noise]);
          for (const [at, value] of mutations) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            assert(skipOne(reader, bytes) <= bytes.length);
          } catch (error) {
            assert(error instanceof FairleadError, String(error));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  test(`${name}: any text is read back, and its bytes are skipped`, () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.string({ unit: "grapheme", maxLength: 2000, size: "max" }),
      fc.nat({ max: 70_000 }).map((length) => `a${"😀".repeat(length)}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        const bytes = write(given);
        reader.begin(bytes, 0, bytes.length);
        assert.equal(reader.readString(), given);
        assert.equal(reader.at, bytes.length);
        assert.equal(skipOne(reader, bytes), bytes.length);
      }),
      { numRuns: 200 },
    );
  });

  test(`${name}: a character of four bytes counts as two units, or as the last one`, () => {
    const emoji = Buffer.from("😀");
    for (const units of [1, 2]) {
      const bytes = Buffer.concat([Buffer.of(units), emoji]);
      reader.begin(bytes, 0, bytes.length);
      assert.equal(reader.readString(), "😀");
    }
  });
}

test("four bytes beyond the last character are replaced or refused, beside surrogates, too", () => {
  const reader = new Hessian2Reader();
  const beyond = Buffer.from("04f490acaceda0bdedb880", "hex");
  reader.begin(beyond, 0, beyond.length);
  assert.equal(reader.readString(), "\ufffd😀");
  const noText = Buffer.from("04f582acaceda0bdedb880", "hex");
  reader.begin(noText, 0, noText.length);
  assert.throws(() => reader.readString(), { code: "FL_HESSIAN_MALFORMED" });
});

test("values may nest deeper than a program may recurse, up to a limit", () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x79), Buffer.of(0x4e)]);
  assert.equal(skipOne(new Hessian2Reader(), nested(4000)), 4001);
  assert.throws(() => skipOne(new Hessian2Reader(), nested(100_000)), { code: "FL_HESSIAN_TOO_DEEP" });
});

test("few bytes cannot ask for many values", () => {
  // A list of 2^31-1 elements, and a class of as many fields.
  for (const hex of ["58497fffffff", "430161497fffffff"]) {
    assert.throws(() => skipOne(new Hessian2Reader(), Buffer.from(hex, "hex")), { code: "FL_HESSIAN_MALFORMED" });
  }
});

test("a null is no string, and neither is a number", () => {
  const reader = new Hessian2Reader();
  reader.begin(Buffer.of(0x4e), 0, 1);
  assert.equal(reader.readString(), undefined);
  reader.begin(Buffer.of(0x91), 0, 1);
  assert.throws(() => reader.readString(), /0x91 where a string should be/);
});
