import { malformed, tooDeep } from "./hessian-error.ts";
import { Hessian2Reader } from "./hessian2-reader.ts";

/**
 * - objects and maps → Map, with the fields' or keys' texts as keys (a class's name is not kept)
 * - lists and sets → array, binaries → Buffer, dates → Date, longs → bigint
 */
export type HessianValue =
  string | number | bigint | boolean | null | Date | Buffer | HessianValue[] | Map<string, HessianValue>;

const maxDepth = 64;
const msAMinute = 60_000;

/** Builds values, where the reader above goes past them. For the few answers that the mesh itself wants to know; not for calls. */
export class Hessian2ValueReader extends Hessian2Reader {
  readonly #classes: (readonly string[])[] = [];
  readonly #types: string[] = [];
  /** What references count: lists, maps and objects in the order of their beginning. */
  readonly #built: HessianValue[] = [];

  override begin(bytes: Buffer, start: number, end: number): void {
    super.begin(bytes, start, end);
    for (const table of [this.#classes, this.#types, this.#built]) table.length = 0;
  }

  /** @throws FairleadError FL_HESSIAN_MALFORMED, FL_HESSIAN_TOO_DEEP */
  readValue(depth = 0): HessianValue {
    if (depth > maxDepth) throw tooDeep(depth, this.at);
    const tag = this.next;
    if (tag <= 0x1f || (tag >= 0x30 && tag <= 0x33) || tag === 0x52 || tag === 0x53) return this.readString() ?? null;
    if (tag === 0x49 || (tag >= 0x80 && tag <= 0xd7)) return this.readInt();
    this.byte();
    if (tag >= 0xd8) return this.#long(tag);
    if (tag >= 0x38 && tag <= 0x3f) return BigInt(((tag - 0x3c) << 16) + this.uint16());
    if (tag >= 0x78) return this.#list(tag - 0x78, depth);
    if (tag >= 0x70) return this.#typedList(tag - 0x70, depth);
    if (tag >= 0x60) return this.#object(tag - 0x60, depth);
    switch (tag) {
      case 0x4e: // N
        return null;
      case 0x46: // F
        return false;
      case 0x54: // T
        return true;
      case 0x43: // C
        this.#defineClass();
        // Any number of classes may be defined before a value: each goes a level deeper here, and counts as one.
        return this.readValue(depth + 1);
      case 0x4f: // O
        return this.#object(this.readInt(), depth);
      case 0x51: // Q
        return this.#reference();
      case 0x48: // H
        return this.#map(depth);
      case 0x4d: // M
        this.#type();
        return this.#map(depth);
      case 0x55: // U
        this.#type();
        return this.#list(undefined, depth);
      case 0x57: // W
        return this.#list(undefined, depth);
      case 0x56: // V
        this.#type();
        return this.#list(this.readInt(), depth);
      case 0x58: // X
        return this.#list(this.readInt(), depth);
      case 0x4a: // date in ms
        return new Date(Number(this.#slice(8).readBigInt64BE()));
      case 0x4b: // date in minutes
        return new Date(this.#slice(4).readInt32BE() * msAMinute);
      case 0x4c: // L
        return this.#slice(8).readBigInt64BE();
      case 0x59: // long of 4 bytes
        return BigInt(this.#slice(4).readInt32BE());
      case 0x44: // D
        return this.#slice(8).readDoubleBE();
      case 0x5b:
        return 0;
      case 0x5c:
        return 1;
      case 0x5d:
        return this.#slice(1).readInt8();
      case 0x5e:
        return this.#slice(2).readInt16BE();
      case 0x5f:
        return this.#slice(4).readInt32BE() / 1000;
      default:
        return this.#binary(tag);
    }
  }

  #long(tag: number): bigint {
    if (tag <= 0xef) return BigInt(tag - 0xe0);
    return BigInt(((tag - 0xf8) << 8) + this.byte());
  }

  #slice(bytes: number): Buffer {
    const start = this.at;
    this.skipBytes(bytes);
    return this.bytes.subarray(start, this.at);
  }

  #binary(first: number): Buffer {
    const parts: Buffer[] = [];
    let tag = first;
    for (; tag === 0x41; tag = this.byte()) parts.push(this.#slice(this.uint16()));
    if (tag >= 0x20 && tag <= 0x2f) parts.push(this.#slice(tag - 0x20));
    else if (tag >= 0x34 && tag <= 0x37) parts.push(this.#slice(((tag - 0x34) << 8) | this.byte()));
    else if (tag === 0x42) parts.push(this.#slice(this.uint16()));
    else throw this.unexpected(tag, "a value");
    return Buffer.concat(parts);
  }

  #name(): string {
    const name = this.readString();
    if (name === undefined) throw malformed("null where a name should be", this.at - 1);
    return name;
  }

  #type(): void {
    const tag = this.next;
    if (tag >= 0x80 || tag === 0x49) this.readInt();
    else this.#types.push(this.#name());
  }

  #defineClass(): void {
    this.#name();
    const fields = this.count(this.readInt());
    this.#classes.push(Array.from({ length: fields }, () => this.#name()));
  }

  #object(index: number, depth: number): HessianValue {
    const fields = this.#classes[index];
    if (fields === undefined) throw malformed(`an object of class ${index}, which is not defined`, this.at);
    const object = new Map<string, HessianValue>();
    this.#built.push(object);
    for (const field of fields) object.set(field, this.readValue(depth + 1));
    return object;
  }

  #map(depth: number): HessianValue {
    const map = new Map<string, HessianValue>();
    this.#built.push(map);
    while (!this.endMap()) {
      const key = this.readValue(depth + 1);
      // Lists of references to lists make texts that are longer than any memory.
      if (typeof key === "object" && key !== null)
        throw malformed("a key that is neither a text nor a number", this.at);
      map.set(String(key), this.readValue(depth + 1));
    }
    return map;
  }

  #typedList(length: number, depth: number): HessianValue {
    this.#type();
    return this.#list(length, depth);
  }

  /** @param length undefined: up to its end */
  #list(length: number | undefined, depth: number): HessianValue {
    const list: HessianValue[] = [];
    this.#built.push(list);
    if (length === undefined) while (!this.endMap()) list.push(this.readValue(depth + 1));
    else for (let left = this.count(length); left > 0; left--) list.push(this.readValue(depth + 1));
    return list;
  }

  #reference(): HessianValue {
    const index = this.readInt();
    const found = this.#built[index];
    if (found === undefined) throw malformed(`a reference to ${index}, which is not there`, this.at);
    return found;
  }
}
