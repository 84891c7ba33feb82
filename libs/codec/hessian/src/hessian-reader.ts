import { decodeText, endOfText } from "./cesu8.ts";
import { malformed } from "./hessian-error.ts";
import { Nesting, UNTIL_END } from "./nesting.ts";

/** In both grammars. */
export const NULL = 0x4e;
/** What a value's first byte said: nothing more is to come, or so many values on a level below. */
export const NO_LEVEL = -2;
/** The byte did not stand for a value but for something before it: the value follows. */
export const NOT_A_VALUE = -3;

/**
 * Walks over serialized values. What both grammars share; a subclass knows what each first byte means. Nothing is decoded but the strings
 * that are asked for, and no value is built: references need no table, as they have a fixed form.
 *
 * One reader is used for many bodies: `begin` for each.
 */
export abstract class HessianReader {
  /** The next byte to be read. */
  at = 0;
  protected bytes: Buffer = Buffer.alloc(0);
  protected end = 0;
  /** Fields of each class that was defined so far. */
  protected readonly fieldCounts: number[] = [];
  readonly #nesting = new Nesting();
  readonly #endByte: number;

  /** @param endByte ends lists and maps of unknown length */
  constructor(endByte: number) {
    this.#endByte = endByte;
  }

  begin(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.fieldCounts.length = 0;
  }

  get atEnd(): boolean {
    return this.at >= this.end;
  }

  /** The next byte, without reading it; -1 at the end. */
  get next(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1;
  }

  /**
   * Goes past one value with all that is in it.
   *
   * @throws FairleadError FL_HESSIAN_MALFORMED, FL_HESSIAN_TOO_DEEP
   */
  skip(): void {
    const nesting = this.#nesting;
    nesting.clear();
    nesting.push(1, this.at);
    while (nesting.depth > 0) {
      const left = nesting.top;
      if (left === 0) {
        nesting.pop();
        continue;
      }
      if (left === UNTIL_END && this.next === this.#endByte) {
        this.at++;
        nesting.pop();
        continue;
      }
      const level = this.skipHead(this.byte());
      if (level === NOT_A_VALUE) continue;
      nesting.countDown();
      if (level !== NO_LEVEL) nesting.push(level, this.at);
      if (this.at > this.end) throw this.truncated();
    }
  }

  /**
   * Goes past a value's first byte and what is not values itself.
   *
   * @returns how many values follow on the level below, UNTIL_END, NO_LEVEL or NOT_A_VALUE
   */
  protected abstract skipHead(tag: number): number;

  /** Whether a map that was begun ends here; goes past its end. */
  endMap(): boolean {
    if (this.next !== this.#endByte) return false;
    this.at++;
    return true;
  }

  /** Whether it begins a part of a text that is not the last: the part's length has two bytes. */
  protected abstract isMoreText(tag: number): boolean;

  /** The length of a text, or of its last part, that begins so; in UTF-16 units. @throws FairleadError FL_HESSIAN_MALFORMED for any other value */
  protected abstract lastTextLength(tag: number): number;

  /** As `isMoreText`, of binary data. */
  protected abstract isMoreBinary(tag: number): boolean;

  /** As `lastTextLength`, in bytes. */
  protected abstract lastBinaryLength(tag: number): number;

  /** The next value as a string; undefined when it is null. @throws FairleadError FL_HESSIAN_MALFORMED when it is neither */
  readString(): string | undefined {
    let tag = this.byte();
    // Nearly all of them, and in both grammars.
    if (tag <= 0x1f) return this.text(tag);
    if (tag === NULL) return undefined;
    let text = "";
    for (; this.isMoreText(tag); tag = this.byte()) text += this.text(this.uint16());
    return text + this.text(this.lastTextLength(tag));
  }

  /** @param first byte of the text, which was read */
  protected skipTextFrom(first: number): number {
    let tag = first;
    for (; this.isMoreText(tag); tag = this.byte()) this.skipText(this.uint16());
    return this.skipText(this.lastTextLength(tag));
  }

  /** @param first byte of the data, which was read */
  protected skipBinaryFrom(first: number): number {
    let tag = first;
    for (; this.isMoreBinary(tag); tag = this.byte()) this.skipBytes(this.uint16());
    return this.skipBytes(this.lastBinaryLength(tag));
  }

  protected byte(): number {
    if (this.at >= this.end) throw this.truncated();
    return this.bytes[this.at++]!;
  }

  /** Both grammars write ints alike. */
  protected readInt(): number {
    const tag = this.byte();
    if (tag >= 0x80 && tag <= 0xbf) return tag - 0x90;
    if (tag >= 0xc0 && tag <= 0xcf) return ((tag - 0xc8) << 8) + this.byte();
    if (tag >= 0xd0 && tag <= 0xd7) return ((tag - 0xd4) << 16) + this.uint16();
    if (tag === 0x49) return (this.uint16() << 16) | this.uint16();
    throw this.unexpected(tag, "an int");
  }

  protected uint16(): number {
    return (this.byte() << 8) | this.byte();
  }

  protected skipBytes(count: number): number {
    this.at += count;
    if (this.at > this.end) throw this.truncated();
    return NO_LEVEL;
  }

  protected skipText(units: number): number {
    this.at = endOfText(this.bytes, this.at, this.end, units);
    return NO_LEVEL;
  }

  protected text(units: number): string {
    const start = this.at;
    this.skipText(units);
    return decodeText(this.bytes, start, this.at);
  }

  /** A number of values: each takes a byte at least, so that a few bytes cannot ask for much work. */
  protected count(value: number): number {
    if (value < 0 || value > this.end - this.at)
      throw malformed(`${value} values with ${this.end - this.at} bytes left`, this.at);
    return value;
  }

  protected fieldsOf(classIndex: number): number {
    const fields = this.fieldCounts[classIndex];
    if (fields === undefined) throw malformed(`an object of class ${classIndex}, which is not defined`, this.at);
    return fields;
  }

  protected unexpected(tag: number, wanted: string): Error {
    return malformed(`0x${tag.toString(16).padStart(2, "0")} where ${wanted} should be`, this.at - 1);
  }

  protected truncated(): Error {
    return malformed("the body ends within a value", this.end);
  }
}

/** Bytes behind the first of an int or a long that begins with 0x80 or more; in both grammars. */
export function tailOfNumber(tag: number): number {
  if (tag <= 0xbf) return 0;
  if (tag <= 0xcf) return 1;
  if (tag <= 0xd7) return 2;
  return tag <= 0xef ? 0 : 1;
}
