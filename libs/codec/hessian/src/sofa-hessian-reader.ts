import { malformed } from "./hessian-error.ts";
import { HessianReader, NO_LEVEL, NOT_A_VALUE, NULL, tailOfNumber } from "./hessian-reader.ts";
import { UNTIL_END } from "./nesting.ts";

/** `z` */
const END = 0x7a;
/** `O`, which defines a class */
const CLASS = 0x4f;
/** `o`, an object of one */
const OBJECT = 0x6f;

/**
 * The draft of Hessian 2 that SOFA's Java (hessian 3.x) writes into bolt. It differs from the final grammar in all that nests:
 *
 *   V [t len name | u int] [n len8 | l len32] … z   list      M [t len name | u int] … z   map
 *   v type-int length-int …                         list      O len name count names       class definition
 *   R id32, J id8, K id16                           reference o class-int …                object
 *
 * and in doubles (67-6b), dates (d), binaries (b, B) and strings, which have no two-byte form.
 */
export class SofaHessianReader extends HessianReader {
  constructor() {
    super(END);
  }

  protected override skipHead(tag: number): number {
    if (tag <= 0x1f) return this.skipText(tag);
    if (tag <= 0x2f) return this.skipBytes(tag - 0x20);
    if (tag >= 0x38 && tag <= 0x3f) return this.skipBytes(2);
    if (tag >= 0x80) return this.skipBytes(tailOfNumber(tag));
    switch (tag) {
      case NULL:
      case 0x46: // F
      case 0x54: // T
      case 0x67: // 0.0
      case 0x68: // 1.0
        return NO_LEVEL;
      case 0x42: // B
      case 0x62: // b
        return this.skipBinaryFrom(tag);
      case 0x44: // D
      case 0x4c: // L
      case 0x64: // date
        return this.skipBytes(8);
      case 0x49: // I
      case 0x52: // R
      case 0x6b: // float
      case 0x77: // long of 4 bytes
        return this.skipBytes(4);
      case 0x4a: // reference of 1 byte
      case 0x69: // double of 1 byte
        return this.skipBytes(1);
      case 0x4b: // reference of 2 bytes
      case 0x6a: // double of 2 bytes
        return this.skipBytes(2);
      case 0x4d: // M
        this.#skipType();
        return UNTIL_END;
      case CLASS:
        this.defineClass();
        return NOT_A_VALUE;
      case OBJECT:
        return this.fieldsOf(this.readInt());
      case 0x53: // S
      case 0x58: // X
      case 0x73: // s
      case 0x78: // x
        return this.skipTextFrom(tag);
      case 0x56: // V
        this.#skipType();
        this.#skipListLength();
        return UNTIL_END;
      case 0x76: // v
        this.readInt();
        return this.count(this.readInt());
      default:
        throw this.unexpected(tag, "a value");
    }
  }

  /** Reads the class definition and the beginning of its object: the values of the fields follow. @returns the fields' names */
  beginObject(): string[] {
    const tag = this.byte();
    if (tag !== CLASS) throw this.unexpected(tag, "a class definition");
    const fields = this.defineClass();
    const object = this.byte();
    if (object !== OBJECT) throw this.unexpected(object, "an object");
    const index = this.readInt();
    if (index !== this.fieldCounts.length - 1)
      throw malformed(`an object of class ${index} behind another one's definition`, this.at);
    return fields;
  }

  /** Goes into a map, whose keys and values follow up to `endMap`. @returns false when it is null */
  beginMap(): boolean {
    const tag = this.byte();
    if (tag === NULL) return false;
    if (tag !== 0x4d) throw this.unexpected(tag, "a map");
    this.#skipType();
    return true;
  }

  protected defineClass(): string[] {
    this.skipText(this.readInt());
    const count = this.count(this.readInt());
    const fields: string[] = [];
    for (let i = 0; i < count; i++) fields.push(this.readString() ?? "");
    this.fieldCounts.push(count);
    return fields;
  }

  #skipType(): void {
    const tag = this.next;
    if (tag === 0x74) {
      this.at++;
      this.skipText(this.uint16());
    } else if (tag === 0x75) {
      this.at++;
      this.readInt();
    }
  }

  /** Values end with `z` also where their number is given. */
  #skipListLength(): void {
    const tag = this.next;
    if (tag === 0x6e) this.skipBytes(2);
    else if (tag === 0x6c) this.skipBytes(5);
  }

  protected override isMoreText(tag: number): boolean {
    return tag === 0x73 || tag === 0x78;
  }

  protected override lastTextLength(tag: number): number {
    if (tag <= 0x1f) return tag;
    if (tag === 0x53 || tag === 0x58) return this.uint16();
    throw this.unexpected(tag, "a string");
  }

  protected override isMoreBinary(tag: number): boolean {
    return tag === 0x62;
  }

  protected override lastBinaryLength(tag: number): number {
    if (tag >= 0x20 && tag <= 0x2f) return tag - 0x20;
    if (tag === 0x42) return this.uint16();
    throw this.unexpected(tag, "the last part of a binary");
  }
}
