import { DynamicTable, ENTRY_OVERHEAD_BYTES } from "./dynamic-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman-encoder.ts";
import { writeInteger } from "./integer.ts";
import { RecentHeaders } from "./recent-headers.ts";
import { STATIC_ENTRIES, staticIndexOfName, staticNames, staticValues } from "./static-table.ts";

export interface HpackEncoderOptions {
  /** Of our table, whatever the peer allows: its cost is ours. @default 4096 */
  readonly maxTableBytes?: number;
}

/** Never in a table of anyone: a table can be asked, byte by byte, what is in it (RFC 7541 §7.1). */
const sensitive: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "set-cookie"]);

/** Where headers of one name are. */
interface KnownName {
  readonly staticIndex: number;
  /** The newest entry of the dynamic table with the name, by its number; -1 without one. */
  newest: number;
  /** Numbers of entries by value, and static indexes as -index. */
  readonly values: Map<string, number>;
}

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
  readonly #names = new Map<string, KnownName>();
  readonly #recent = new RecentHeaders();
  /** The smallest size since the last block: the peer must see it too (RFC 7541 §4.2). -1 without a change. */
  #leastBytes = -1;
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(options: HpackEncoderOptions = {}) {
    this.#maxTableBytes = options.maxTableBytes ?? 4096;
    this.#table = new DynamicTable(Math.min(4096, this.#maxTableBytes), (name, value, number) =>
      this.#onEvict(name, value, number),
    );
    if (this.#maxTableBytes < 4096) this.#leastBytes = this.#maxTableBytes;
    for (let index = 1; index <= STATIC_ENTRIES; index++) {
      const name = staticNames[index] ?? "";
      const value = staticValues[index] ?? "";
      let known = this.#names.get(name);
      if (known === undefined) {
        known = { staticIndex: staticIndexOfName.get(name) ?? index, newest: -1, values: new Map() };
        this.#names.set(name, known);
      }
      if (value !== "") known.values.set(value, -index);
    }
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
    const known = this.#names.get(name);
    if (neverIndexed || sensitive.has(name)) {
      this.#literal(4, 0x10, name, known, value);
      return;
    }
    const number = known?.values.get(value);
    if (number !== undefined) {
      const index = number < 0 ? -number : STATIC_ENTRIES + this.#table.added - number;
      this.#at = writeInteger(index, 7, 0x80, this.#out, this.#at);
      return;
    }
    if (!this.#worthAnEntry(name, value)) {
      this.#literal(4, 0, name, known, value);
      return;
    }
    // The index of the name is that before the new entry; and what is evicted may be the name itself, so first the bytes.
    this.#literal(6, 0x40, name, known, value);
    this.#add(name, value);
  }

  /** @returns the offset after the block */
  end(): number {
    return this.#at;
  }

  /** What is seen a second time is likely to be seen a third time; what never comes again would only push out what does. */
  #worthAnEntry(name: string, value: string): boolean {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    return bytes * 4 <= this.#table.maxBytes && this.#recent.seen(name, value);
  }

  #literal(prefixBits: number, high: number, name: string, known: KnownName | undefined, value: string): void {
    let index = 0;
    if (known !== undefined) {
      if (known.staticIndex > 0) index = known.staticIndex;
      else if (known.newest >= 0) index = STATIC_ENTRIES + this.#table.added - known.newest;
    }
    this.#at = writeInteger(index, prefixBits, high, this.#out, this.#at);
    if (index === 0) this.#string(name);
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
    let known = this.#names.get(name);
    if (known === undefined) {
      known = { staticIndex: 0, newest: -1, values: new Map() };
      this.#names.set(name, known);
    }
    known.newest = number;
    known.values.set(value, number);
  }

  #onEvict(name: string, value: string, number: number): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    if (known.values.get(value) === number) known.values.delete(value);
    if (known.newest === number) known.newest = -1;
    if (known.staticIndex === 0 && known.values.size === 0) this.#names.delete(name);
  }
}
