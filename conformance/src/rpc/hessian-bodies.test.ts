import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Hessian2Reader, type HessianReader, SofaHessianReader } from "@fairlead/codec-hessian";
import * as fc from "fast-check";

const require = createRequire(import.meta.url);
const hessian2 = require("hessian.js") as { encode(value: unknown, version: "2.0"): Buffer };
const sofa = require("sofa-hessian-node") as { encode(value: unknown, version: "2.0"): Buffer };

const writers: readonly (readonly [string, HessianReader, (value: unknown) => Buffer])[] = [
  ["hessian.js", new Hessian2Reader(), (value) => hessian2.encode(value, "2.0")],
  ["sofa-hessian-node", new SofaHessianReader(), (value) => sofa.encode(value, "2.0")],
];

const java = (name: string, value: unknown) => ({ $class: name, $: value });
const text = fc.string({ unit: "binary", maxLength: 3000 }).filter((value) => value.isWellFormed());
const field = fc.stringMatching(/^[a-z]{1,8}$/);

/** Every kind of value that Java's own types are written as; lists, maps and objects of them, one in another. */
const { value: anyValue } = fc.letrec((again) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean().map((value) => java("boolean", value)),
    fc.integer().map((value) => java("int", value)),
    fc.maxSafeInteger().map((value) => java("long", value)),
    fc.double({ noNaN: true }).map((value) => java("double", value)),
    fc.date({ noInvalidDate: true }),
    text.map((value) => java("java.lang.String", value)),
    fc.uint8Array({ maxLength: 9000 }).map((bytes) => Buffer.from(bytes)),
    fc.array(again("value"), { maxLength: 12 }).map((values) => java("java.util.ArrayList", values)),
    fc.array(text, { maxLength: 12 }).map((values) => java("[java.lang.String", values)),
    fc.array(fc.integer(), { maxLength: 12 }).map((values) => java("[int", values)),
    fc.dictionary(field, again("value"), { maxKeys: 8 }).map((pairs) => java("java.util.HashMap", pairs)),
    fc
      .tuple(fc.constantFrom("org.x.One", "org.x.Two"), again("value"), again("value"))
      .map(([name, left, right]) => java(name, { left, right })),
    field.map((name) => java("org.x.Colour", { name })),
  ),
}));

for (const [name, reader, write] of writers) {
  test(`whatever ${name} writes is skipped to its last byte`, () => {
    let skipped = 0;
    fc.assert(
      fc.property(anyValue, (value) => {
        let body: Buffer;
        try {
          body = Buffer.from(write(value));
        } catch {
          // Not every value has a form in each of the libraries.
          return;
        }
        const next = Buffer.of(0x4e);
        const frame = Buffer.concat([body, next]);
        reader.begin(frame, 0, frame.length);
        reader.skip();
        assert.equal(reader.at, body.length, `${JSON.stringify(value)}: ${body.toString("hex")}`);
        skipped++;
      }),
      { numRuns: 500 },
    );
    assert.ok(skipped > 400, `${skipped} of 500 could be written`);
  });
}
