/** RFC 7541 §4.1: what an entry costs besides its bytes. */
export const ENTRY_OVERHEAD_BYTES = 32;

/**
 * The table of one direction of a connection: a ring, newest entry = index 0. An entry has at least 32 bytes: from the largest limit
 * so far follows how many slots are enough.
 */
export class DynamicTable {
  #names: string[] = [];
  #values: string[] = [];
  #slots = 0;
  #maxBytes = 0;
  #bytes = 0;
  #entries = 0;
  /** Entries ever added; the slot of the next one is this modulo the slots. */
  #added = 0;
  readonly #onEvict: ((name: string, value: string, number: number) => void) | undefined;

  /** @param onEvict told of each entry that leaves, with the number that `add` gave it */
  constructor(maxBytes: number, onEvict?: (name: string, value: string, number: number) => void) {
    this.#onEvict = onEvict;
    this.setMaxBytes(maxBytes);
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Entries ever added: entry `number` has the index `added - 1 - number`. */
  get added(): number {
    return this.#added;
  }

  /** @param index 0 ≤ index < entries */
  nameAt(index: number): string {
    return this.#names[(this.#added - 1 - index) % this.#slots] ?? "";
  }

  valueAt(index: number): string {
    return this.#values[(this.#added - 1 - index) % this.#slots] ?? "";
  }

  /** An entry larger than the table empties it and is not kept (RFC 7541 §4.4). @returns its number, -1 when it is not kept */
  add(name: string, value: string): number {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evictTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return -1;
    const slot = this.#added % this.#slots;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#bytes += bytes;
    this.#entries++;
    return this.#added++;
  }

  setMaxBytes(maxBytes: number): void {
    this.#evictTo(maxBytes);
    this.#maxBytes = maxBytes;
    const needed = Math.max(1, Math.floor(maxBytes / ENTRY_OVERHEAD_BYTES));
    if (needed <= this.#slots) return;
    // A peer may change the limit as often as it likes, with three bytes each: entries are moved a few times only.
    const slots = Math.max(needed, this.#slots * 2);
    const names: string[] = [];
    const values: string[] = [];
    for (let number = this.#added - this.#entries; number < this.#added; number++) {
      names[number % slots] = this.#names[number % this.#slots] ?? "";
      values[number % slots] = this.#values[number % this.#slots] ?? "";
    }
    this.#names = names;
    this.#values = values;
    this.#slots = slots;
  }

  #evictTo(bytes: number): void {
    while (this.#entries > 0 && this.#bytes > bytes) {
      const number = this.#added - this.#entries;
      const slot = number % this.#slots;
      const name = this.#names[slot] ?? "";
      const value = this.#values[slot] ?? "";
      this.#names[slot] = "";
      this.#values[slot] = "";
      this.#bytes -= name.length + value.length + ENTRY_OVERHEAD_BYTES;
      this.#entries--;
      this.#onEvict?.(name, value, number);
    }
  }
}
