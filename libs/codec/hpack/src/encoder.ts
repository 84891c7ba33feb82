import { DynamicTable, ENTRY_OVERHEAD_BYTES } from "./dynamic-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman-encoder.ts";
import { writeInteger } from "./integer.ts";
import { RecentHeaders } from "./recent-headers.ts";
import { STATIC_ENTRIES, staticTable } from "./static-table.ts";

export interface HpackEncoderOptions {
  /** Of our table, whatever the peer allows: its cost is ours. @default 4096 */
  readonly maxTableBytes?: number;
}

/** Never in a table of anyone: a table can be asked, byte by byte, what is in it (RFC 7541 §7.1). */
const sensitive: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "set-cookie"]);

/** Where headers of one name are in the dynamic table. */
interface DynamicName {
  /** The newest entry with the name, by its number. */
  newest: number;
  /** Numbers of entries by value. */
  readonly values: Map<string, number>;
}

const NO_BYTES = Buffer.alloc(0);

/** A header takes its name and value and at most this much more; a table size update before it as well. */
const MOST_BYTES_BESIDES = 16;

/**
 * Headers of one direction of a connection to blocks.
 *
 * ```ts
 * encoder.begin(buffer, at);           // room for the sum of `mostBytes`
 * encoder.header(":status", "200");
 * at = encoder.end();
 * ```
 */
export class HpackEncoder {
  readonly #maxTableBytes: number;
  readonly #table: DynamicTable;
  readonly #names = new Map<string, DynamicName>();
  readonly #recent = new RecentHeaders();
  /** The smallest size since the last block: the peer must see it too (RFC 7541 §4.2). -1 without a change. */
  #leastBytes = -1;
  #out: Buffer = NO_BYTES;
  #at = 0;

  constructor(options: HpackEncoderOptions = {}) {
    this.#maxTableBytes = options.maxTableBytes ?? 4096;
    this.#table = new DynamicTable(Math.min(4096, this.#maxTableBytes), (name, value, number) =>
      this.#onEvict(name, value, number),
    );
    if (this.#maxTableBytes < 4096) this.#leastBytes = this.#maxTableBytes;
  }

  /** The room that a header may need. */
  static mostBytes(name: string, value: string): number {
    return name.length + value.length + MOST_BYTES_BESIDES;
  }

  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setPeerLimit(bytes: number): void {
    const size = Math.min(bytes, this.#maxTableBytes);
    if (size === this.#table.maxBytes && this.#leastBytes === -1) return;
    this.#leastBytes = this.#leastBytes === -1 ? size : Math.min(this.#leastBytes, size);
    this.#table.setMaxBytes(size);
  }

  begin(out: Buffer, at: number): void {
    this.#out = out;
    this.#at = at;
    if (this.#leastBytes === -1) return;
    if (this.#leastBytes < this.#table.maxBytes) this.#at = writeInteger(this.#leastBytes, 5, 0x20, out, this.#at);
    this.#at = writeInteger(this.#table.maxBytes, 5, 0x20, out, this.#at);
    this.#leastBytes = -1;
  }

  /** @param neverIndexed it came so: it goes on so */
  header(name: string, value: string, neverIndexed = false): void {
    const fixed = staticTable.get(name);
    const dynamic = this.#names.get(name);
    let nameIndex = fixed === undefined ? 0 : fixed.index;
    if (nameIndex === 0 && dynamic !== undefined) nameIndex = this.#indexOf(dynamic.newest);
    if (neverIndexed || sensitive.has(name)) {
      this.#literal(4, 0x10, nameIndex, name, value);
      return;
    }
    let index = fixed?.values.get(value);
    if (index === undefined) {
      const number = dynamic?.values.get(value);
      if (number !== undefined) index = this.#indexOf(number);
    }
    if (index !== undefined) this.#at = writeInteger(index, 7, 0x80, this.#out, this.#at);
    else if (this.#worthAnEntry(name, value)) {
      // The index of the name is that before the new entry; and what is evicted may be the name itself, so first the bytes.
      this.#literal(6, 0x40, nameIndex, name, value);
      this.#add(name, value);
    } else this.#literal(4, 0, nameIndex, name, value);
  }

  /** @returns the offset after the block */
  end(): number {
    this.#out = NO_BYTES;
    return this.#at;
  }

  /** What is seen a second time is likely to be seen a third time; what never comes again would only push out what does. */
  #worthAnEntry(name: string, value: string): boolean {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    return bytes * 4 <= this.#table.maxBytes && this.#recent.seen(name, value);
  }

  #indexOf(number: number): number {
    return STATIC_ENTRIES + this.#table.added - number;
  }

  /** @param nameIndex 0 = the name is in no table */
  #literal(prefixBits: number, high: number, nameIndex: number, name: string, value: string): void {
    this.#at = writeInteger(nameIndex, prefixBits, high, this.#out, this.#at);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #string(text: string): void {
    const length = huffmanLength(text);
    if (length < text.length) {
      const at = writeInteger(length, 7, 0x80, this.#out, this.#at);
      this.#at = encodeHuffman(text, this.#out, at);
      return;
    }
    let at = writeInteger(text.length, 7, 0, this.#out, this.#at);
    for (let i = 0; i < text.length; i++) this.#out[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  #add(name: string, value: string): void {
    const number = this.#table.add(name, value);
    if (number === -1) return;
    const known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, { newest: number, values: new Map([[value, number]]) });
    else {
      known.newest = number;
      known.values.set(value, number);
    }
  }

  #onEvict(name: string, value: string, number: number): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    if (known.values.get(value) === number) known.values.delete(value);
    // Entries leave in the order in which they came: with the newest, all of the name have left.
    if (known.newest === number) this.#names.delete(name);
  }
}
