import { HessianReader, NO_LEVEL, NOT_A_VALUE, NULL, tailOfNumber } from "./hessian-reader.ts";
import { UNTIL_END } from "./nesting.ts";

const END = 0x5a;

/**
 * Hessian 2.0 (http://hessian.caucho.com/doc/hessian-serialization.html), as Dubbo uses it.
 *
 *   00-1f 30-33 R S   string          38-3f 4c 59 d8-ff   long        60-6f O    object of a class
 *   20-2f 34-37 A B   binary          44 5b-5f            double      43 C       class definition, before its first object
 *   49 80-d7          int             4a 4b               date        70-7f U-X  list
 *   46 54             boolean         4e  null   51  reference        48 H, 4d M map
 */
export class Hessian2Reader extends HessianReader {
  constructor() {
    super(END);
  }

  protected override skipHead(tag: number): number {
    if (tag <= 0x1f) return this.skipText(tag);
    if (tag <= 0x2f) return this.skipBytes(tag - 0x20);
    if (tag <= 0x33) return this.skipText(((tag - 0x30) << 8) | this.byte());
    if (tag <= 0x37) return this.skipBytes(((tag - 0x34) << 8) | this.byte());
    if (tag <= 0x3f) return this.skipBytes(2);
    if (tag >= 0x80) return this.skipBytes(tailOfNumber(tag));
    if (tag >= 0x78) return tag - 0x78;
    if (tag >= 0x70) {
      this.#skipType();
      return tag - 0x70;
    }
    if (tag >= 0x60) return this.fieldsOf(tag - 0x60);
    switch (tag) {
      case NULL:
      case 0x46: // F
      case 0x54: // T
      case 0x5b: // 0.0
      case 0x5c: // 1.0
        return NO_LEVEL;
      case 0x41: // A
        return this.skipBinaryFrom(tag);
      case 0x42: // B
        return this.skipBytes(this.uint16());
      case 0x43: // C
        return this.#defineClass();
      case 0x44: // D
      case 0x4a: // date in ms
      case 0x4c: // L
        return this.skipBytes(8);
      case 0x48: // H
        return UNTIL_END;
      case 0x49: // I
      case 0x4b: // date in minutes
      case 0x59: // long of 4 bytes
      case 0x5f: // double of 4 bytes
        return this.skipBytes(4);
      case 0x4d: // M
        this.#skipType();
        return UNTIL_END;
      case 0x4f: // O
        return this.fieldsOf(this.readInt());
      case 0x51: // Q
        this.readInt();
        return NO_LEVEL;
      case 0x52: // R
        return this.skipTextFrom(tag);
      case 0x53: // S
        return this.skipText(this.uint16());
      case 0x55: // U
        this.#skipType();
        return UNTIL_END;
      case 0x56: // V
        this.#skipType();
        return this.count(this.readInt());
      case 0x57: // W
        return UNTIL_END;
      case 0x58: // X
        return this.count(this.readInt());
      case 0x5d: // double of 1 byte
        return this.skipBytes(1);
      case 0x5e: // double of 2 bytes
        return this.skipBytes(2);
      default:
        throw this.unexpected(tag, "a value");
    }
  }

  /** Strings as they are, ints and booleans as Java prints them; any other value is skipped: undefined. */
  readText(): string | undefined {
    const tag = this.next;
    if (tag <= 0x1f || (tag >= 0x30 && tag <= 0x33) || tag === 0x52 || tag === 0x53) return this.readString();
    if (tag === 0x49 || (tag >= 0x80 && tag <= 0xd7)) return String(this.readInt());
    this.skip();
    if (tag === 0x54) return "true";
    return tag === 0x46 ? "false" : undefined;
  }

  /** Goes into a map, whose keys and values follow up to `endMap`. @returns false when it is null */
  beginMap(): boolean {
    const tag = this.byte();
    if (tag === NULL) return false;
    if (tag === 0x4d) this.#skipType();
    else if (tag !== 0x48) throw this.unexpected(tag, "a map");
    return true;
  }

  protected override isMoreText(tag: number): boolean {
    return tag === 0x52;
  }

  protected override lastTextLength(tag: number): number {
    if (tag <= 0x1f) return tag;
    if (tag >= 0x30 && tag <= 0x33) return ((tag - 0x30) << 8) | this.byte();
    if (tag === 0x53) return this.uint16();
    throw this.unexpected(tag, "a string");
  }

  protected override isMoreBinary(tag: number): boolean {
    return tag === 0x41;
  }

  protected override lastBinaryLength(tag: number): number {
    if (tag >= 0x20 && tag <= 0x2f) return tag - 0x20;
    if (tag >= 0x34 && tag <= 0x37) return ((tag - 0x34) << 8) | this.byte();
    if (tag === 0x42) return this.uint16();
    throw this.unexpected(tag, "the last part of a binary");
  }

  /** A name, or the number of one that was given before. */
  #skipType(): void {
    const tag = this.next;
    if (tag >= 0x80 || tag === 0x49) this.readInt();
    else this.skipTextFrom(this.byte());
  }

  #defineClass(): number {
    this.skipTextFrom(this.byte());
    const fields = this.count(this.readInt());
    for (let i = 0; i < fields; i++) this.skipTextFrom(this.byte());
    this.fieldCounts.push(fields);
    return NOT_A_VALUE;
  }
}
