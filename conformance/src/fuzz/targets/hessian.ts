import assert from "node:assert/strict";
import { Hessian2Reader, Hessian2ValueReader, type HessianReader, SofaHessianReader } from "@fairlead/codec-hessian";
import { hessian2Bodies, sofaBodies } from "@fairlead/codec-hessian/testing";
import { FairleadError } from "@fairlead/errors";
import { type FuzzTarget, hex, outcomeOf } from "../fuzz-target.ts";

/** @returns where a value ends, or why it has no end */
function endOf(reader: HessianReader, bytes: Buffer, read: () => unknown): string {
  try {
    reader.begin(bytes, 0, bytes.length);
    read();
    assert(reader.at <= bytes.length, "it read past its end");
    return `ends ${reader.at}`;
  } catch (error) {
    assert(error instanceof FairleadError, error instanceof Error ? (error.stack ?? "") : String(error));
    return outcomeOf(error);
  }
}

function textOrValue(reader: HessianReader, bytes: Buffer): string {
  const skipped = endOf(reader, bytes, () => reader.skip());
  const read = endOf(reader, bytes, () => reader.readString());
  // What is a text ends where it is skipped to.
  if (read.startsWith("ends")) assert.equal(read, skipped);
  return `${skipped.startsWith("ends") ? "ends" : skipped} ${read.startsWith("ends")}`;
}

const marks = hex("43", "4f90", "60", "48", "4d", "5a", "7a", "56", "57", "58", "51", "5190", "49", "497fffffff", "4e", "53", "52", "41", "42", "70", "78", "7f", "d7ffff", "34ff", "0161", "3061"); // prettier-ignore

export const hessianTarget: FuzzTarget = {
  name: "hessian",
  sources: ["libs/codec/hessian/src"],
  seeds: () => hex(...hessian2Bodies.map(([, body]) => body)),
  dictionary: marks,
  run(bytes) {
    const values = new Hessian2ValueReader();
    const built = endOf(values, bytes, () => values.readValue());
    const outcome = textOrValue(new Hessian2Reader(), bytes);
    return `${outcome} ${built.startsWith("ends") ? "ends" : built}`;
  },
};

export const sofaHessianTarget: FuzzTarget = {
  name: "sofa-hessian",
  sources: ["libs/codec/hessian/src"],
  seeds: () => hex(...sofaBodies.map(([, body]) => body)),
  dictionary: [...marks, ...hex("4d7400", "56", "6c", "6e", "72", "73", "78", "62", "4a")],
  run: (bytes) => textOrValue(new SofaHessianReader(), bytes),
};
