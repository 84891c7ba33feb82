import { Hessian2Reader, hessian2String } from "@fairlead/codec-hessian";
import type { BodyReader } from "./serialization.ts";

const MAP = 0x48;
const END = 0x5a;

/** A body in Hessian 2.0. */
export class HessianBodyReader implements BodyReader {
  readonly #reader = new Hessian2Reader();

  get at(): number {
    return this.#reader.at;
  }

  begin(frame: Buffer, start: number, end: number): void {
    this.#reader.begin(frame, start, end);
  }

  readString(): string | undefined {
    return this.#reader.readString();
  }

  skip(): void {
    this.#reader.skip();
  }

  beginMap(): boolean {
    return !this.#reader.atEnd && this.#reader.beginMap();
  }

  endMap(): boolean {
    return this.#reader.endMap();
  }

  readText(): string | undefined {
    return this.#reader.readText();
  }
}

/**
 * The attachments with some more at their end: of two that have one name, Dubbo takes the last.
 *
 * @param map as it was, its end included; empty when there was none
 */
export function withMore(map: Buffer, added: readonly (readonly [string, string])[]): Buffer {
  const pairs = added.flat().map(hessian2String);
  const kept = map.length === 0 ? Buffer.of(MAP) : map.subarray(0, -1);
  return Buffer.concat([kept, ...pairs, Buffer.of(END)]);
}
