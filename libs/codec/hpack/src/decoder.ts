import { DynamicTable } from "./dynamic-table.ts";
import { HpackError } from "./hpack-error.ts";
import { decodeHuffman } from "./huffman-decoder.ts";
import { STATIC_ENTRIES, staticNames, staticValues } from "./static-table.ts";

/** Gets the headers of a block one by one. */
export interface HeaderSink {
  /**
   * @param name as it came, not checked; one byte a character
   * @param neverIndexed whoever passes it on must not index it either (RFC 7541 §7.1.3)
   */
  onHeader(name: string, value: string, neverIndexed: boolean): void;
}

const NO_BYTES = Buffer.alloc(0);

/** Above this no string can be: a block has a limit of its own, and Huffman makes at most 8/5 of it. */
const MAX_INTEGER = 2 ** 28;

/** Header blocks of one direction of a connection to headers. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  /** What we allow: SETTINGS_HEADER_TABLE_SIZE as the peer has acknowledged it. */
  #limitBytes: number;
  /** A smaller limit came into force: the next block must begin with an update (RFC 7541 §4.2). */
  #updateDue = false;
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;

  /** @param maxTableBytes SETTINGS_HEADER_TABLE_SIZE. @default 4096 */
  constructor(maxTableBytes = 4096) {
    this.#table = new DynamicTable(Math.min(4096, maxTableBytes));
    this.#limitBytes = maxTableBytes;
  }

  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The peer has acknowledged a new SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableBytes(bytes: number): void {
    this.#limitBytes = bytes;
    if (bytes < this.#table.maxBytes) this.#updateDue = true;
  }

  /**
   * Reads one whole block: all of it, also when the sink has had enough, as later blocks build on its table.
   *
   * @throws HpackError; the decoder is of no use after it
   */
  decode(block: Buffer, start: number, end: number, sink: HeaderSink): void {
    this.#bytes = block;
    this.#at = start;
    this.#end = end;
    let headers = 0;
    while (this.#at < end) {
      const byte = block[this.#at] ?? 0;
      if (byte >= 0x20 && byte < 0x40) {
        if (headers > 0) throw new HpackError("a table size update after a header");
        this.#resize(this.#readInteger(5));
        continue;
      }
      if (this.#updateDue) throw new HpackError("no table size update after the limit was lowered");
      headers++;
      if (byte >= 0x80) this.#readIndexed(sink);
      else if (byte >= 0x40) this.#readLiteral(6, true, false, sink);
      else this.#readLiteral(4, false, byte >= 0x10, sink);
    }
    // An idle connection must not hold what was read from its socket.
    this.#bytes = NO_BYTES;
  }

  #resize(bytes: number): void {
    if (bytes > this.#limitBytes) throw new HpackError(`a table of ${bytes} bytes; ${this.#limitBytes} are allowed`);
    this.#table.setMaxBytes(bytes);
    this.#updateDue = false;
  }

  #readIndexed(sink: HeaderSink): void {
    const index = this.#readInteger(7);
    if (index <= STATIC_ENTRIES) {
      if (index === 0) throw new HpackError("index 0");
      sink.onHeader(staticNames[index] ?? "", staticValues[index] ?? "", false);
      return;
    }
    const at = index - STATIC_ENTRIES - 1;
    if (at >= this.#table.entries) throw new HpackError(`index ${index} is beyond the table`);
    sink.onHeader(this.#table.nameAt(at), this.#table.valueAt(at), false);
  }

  #readLiteral(prefixBits: number, indexed: boolean, neverIndexed: boolean, sink: HeaderSink): void {
    const index = this.#readInteger(prefixBits);
    let name: string;
    if (index === 0) name = this.#readString();
    else if (index <= STATIC_ENTRIES) name = staticNames[index] ?? "";
    else {
      const at = index - STATIC_ENTRIES - 1;
      if (at >= this.#table.entries) throw new HpackError(`index ${index} is beyond the table`);
      name = this.#table.nameAt(at);
    }
    const value = this.#readString();
    if (indexed) this.#table.add(name, value);
    sink.onHeader(name, value, neverIndexed);
  }

  #readString(): string {
    if (this.#at >= this.#end) throw new HpackError("the block ends within a header");
    const huffman = (this.#bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#readInteger(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw new HpackError("a string is longer than its block");
    this.#at = end;
    if (length === 0) return "";
    return huffman ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString("latin1", start, end);
  }

  #readInteger(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at++] ?? 0) & limit;
    if (value < limit) return value;
    for (let factor = 1; ; factor *= 128) {
      if (this.#at >= this.#end) throw new HpackError("the block ends within an integer");
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * factor;
      // Also ends a row of zeros with continuation bits, which would have no value but no end either.
      if (value > MAX_INTEGER || factor > MAX_INTEGER) throw new HpackError("an integer that is too large");
      if (byte < 128) return value;
    }
  }
}
