import { rpcError } from "@fairlead/codec-rpc";
import type { BodyReader } from "./serialization.ts";

/*
 * fastjson2 in Dubbo: each value is a u32 length and so many bytes of JSONB, so that arguments are skipped by their length alone.
 * Of JSONB only what names, versions and attachments are made of is read:
 *
 *   49-78 ASCII of 0-47 bytes   79 ASCII   7a UTF-8   7d UTF-16BE, each with its bytes as an int
 *   a6 … a5 object              af null    b0 false   b1 true
 *   f0-2f int of 1 byte         30-3f of 2 40-47 of 3 48 of 5   bd, bc, be int of 1, 2, 8 bytes
 *   d8-ef, c8-d7, c0-c7, bf     long of 1, 2, 3, 5 bytes        b5 double, b7 float
 *   92 name int                 type of the object that follows
 */
const OBJECT = 0xa6;
const OBJECT_END = 0xa5;
const TYPE = 0x92;
const NULL = 0xaf;

/** A body in fastjson2's JSONB. */
export class Fastjson2BodyReader implements BodyReader {
  at = 0;
  #frame: Buffer = Buffer.alloc(0);
  #end = 0;
  /** Of the attachments, while they are read. */
  #mapEnd = 0;

  begin(frame: Buffer, start: number, end: number): void {
    this.#frame = frame;
    this.at = start;
    this.#end = end;
  }

  readString(): string | undefined {
    const end = this.#valueEnd();
    const text = this.readText();
    if (this.at !== end) throw unreadable("a value is longer than the text in it");
    return text;
  }

  skip(): void {
    this.at = this.#valueEnd();
  }

  beginMap(): boolean {
    if (this.at >= this.#end) return false;
    this.#mapEnd = this.#valueEnd();
    let tag = this.#byte();
    if (tag === NULL) return false;
    if (tag === TYPE) {
      this.readText();
      if (this.#frame[this.at] !== OBJECT) this.readText();
      tag = this.#byte();
    }
    if (tag !== OBJECT) throw unreadable(`0x${tag.toString(16)} where the attachments should be`);
    return true;
  }

  endMap(): boolean {
    if (this.at < this.#mapEnd - 1) return false;
    if (this.#frame[this.at] !== OBJECT_END) throw unreadable("the attachments have no end");
    this.at++;
    return true;
  }

  readText(): string | undefined {
    const tag = this.#byte();
    if (tag === NULL) return undefined;
    if (tag === 0xb0) return "false";
    if (tag === 0xb1) return "true";
    if (tag >= 0x49 && tag <= 0x78) return this.#text(tag - 0x49, "latin1");
    if (tag === 0x79) return this.#text(this.#int(this.#byte()), "latin1");
    if (tag === 0x7a) return this.#text(this.#int(this.#byte()), "utf8");
    if (tag === 0x7d) return this.#utf16(this.#int(this.#byte()));
    const width = tailOfNumber(tag);
    if (width !== undefined) {
      this.#take(width);
      return undefined;
    }
    if (isInt(tag)) return String(this.#int(tag));
    // A list or an object: what comes behind it is not read either.
    this.at = this.#mapEnd - 1;
    return undefined;
  }

  /** Goes past the length of a value. @returns where it ends */
  #valueEnd(): number {
    if (this.#end - this.at < 4) throw unreadable("the body ends within a length");
    const end = this.at + 4 + this.#frame.readUInt32BE(this.at);
    if (end > this.#end) throw unreadable("a value is longer than the body");
    this.at += 4;
    return end;
  }

  #byte(): number {
    if (this.at >= this.#end) throw unreadable("the body ends within a value");
    return this.#frame[this.at++]!;
  }

  #text(bytes: number, encoding: "latin1" | "utf8"): string {
    return this.#frame.toString(encoding, this.#take(bytes), this.at);
  }

  #utf16(bytes: number): string {
    const start = this.#take(bytes);
    if (bytes % 2 !== 0) throw unreadable("UTF-16 of an odd number of bytes");
    return Buffer.from(this.#frame.subarray(start, this.at)).swap16().toString("utf16le");
  }

  /** @returns where the bytes begin */
  #take(bytes: number): number {
    const start = this.at;
    if (bytes < 0 || bytes > this.#end - start) throw unreadable("a text is longer than the body");
    this.at += bytes;
    return start;
  }

  #int(tag: number): number {
    if (tag === 0xbd) return (this.#byte() << 24) >> 24;
    if (tag >= 0xf0) return tag - 0x100;
    if (tag <= 0x2f) return tag;
    if (tag <= 0x3f) return ((tag - 0x38) << 8) + this.#byte();
    if (tag <= 0x47) return ((tag - 0x44) << 16) + (this.#byte() << 8) + this.#byte();
    if (tag === 0x48) return (this.#byte() << 24) | (this.#byte() << 16) | (this.#byte() << 8) | this.#byte();
    throw unreadable(`0x${tag.toString(16)}, which is neither text nor a number`);
  }
}

function isInt(tag: number): boolean {
  return tag >= 0xf0 || tag <= 0x48 || tag === 0xbd;
}

/** Bytes behind the first of a number that is no int; undefined when it is something else. */
function tailOfNumber(tag: number): number | undefined {
  if (tag >= 0xd8 && tag <= 0xef) return 0;
  if (tag >= 0xc8 && tag <= 0xd7) return 1;
  if (tag >= 0xc0 && tag <= 0xc7) return 2;
  if (tag === 0xbc) return 2;
  if (tag === 0xb7 || tag === 0xbf) return 4;
  return tag === 0xb5 || tag === 0xbe ? 8 : undefined;
}

function unreadable(message: string): Error {
  return rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", `fastjson2: ${message}`);
}

function lengthInt(length: number): Buffer {
  if (length <= 0x2f) return Buffer.of(length);
  if (length <= 0x7ff) return Buffer.of(0x38 + (length >> 8), length & 0xff);
  const bytes = Buffer.alloc(5, 0x48);
  bytes.writeInt32BE(length, 1);
  return bytes;
}

function jsonbString(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const ascii = bytes.length === text.length;
  if (ascii && bytes.length <= 47) return Buffer.concat([Buffer.of(0x49 + bytes.length), bytes]);
  return Buffer.concat([Buffer.of(ascii ? 0x79 : 0x7a), lengthInt(bytes.length), bytes]);
}

function value(jsonb: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(jsonb.length);
  return Buffer.concat([length, jsonb]);
}

/** A text as a value of a body. */
export function fastjson2String(text: string): Buffer {
  return value(jsonbString(text));
}

/**
 * The attachments with some more at their end.
 *
 * @param map as it was, with its length; empty when there was none
 */
export function withMore(map: Buffer, added: readonly (readonly [string, string])[]): Buffer {
  const pairs = added.flat().map(jsonbString);
  const kept = map.length === 0 ? Buffer.of(OBJECT) : map.subarray(4, -1);
  return value(Buffer.concat([kept, ...pairs, Buffer.of(OBJECT_END)]));
}
