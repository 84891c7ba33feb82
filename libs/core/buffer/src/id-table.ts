const MIN_SLOTS = 16;
/** Knuth's multiplicative hash: 2^32 / the golden ratio. */
const GOLDEN = 0x9e37_79b1;

/**
 * What comes and goes with each request, by its number. A `Map` would cost what `MemberList` says of a `Set`.
 *
 * ```
 *   slots  [ · · 7 9 · 3 · · ]   each in the first free slot from its hash on; where one goes, those behind it close up
 * ```
 */
export class IdTable<Value extends { readonly id: number }> {
  /** A power of two of them, at most half of them taken. Made with the first: most of many connections are idle. */
  #slots: (Value | undefined)[] = [];
  /** Of the hash, what is not the slot. */
  #shift = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Value | undefined {
    const slots = this.#slots;
    if (slots.length === 0) return undefined;
    for (let slot = this.#homeOf(id); ; slot = (slot + 1) & (slots.length - 1)) {
      const value = slots[slot];
      if (value === undefined || value.id === id) return value;
    }
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** Its id stays as it is while it is here, and no other here has it. */
  add(value: Value): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    this.#size++;
    this.#put(value);
  }

  /** @returns whether it was there */
  delete(value: Value): boolean {
    const slots = this.#slots;
    if (slots.length === 0) return false;
    const mask = slots.length - 1;
    let free = this.#homeOf(value.id);
    while (slots[free] !== value) {
      if (slots[free] === undefined) return false;
      free = (free + 1) & mask;
    }
    for (let slot = (free + 1) & mask; ; slot = (slot + 1) & mask) {
      const next = slots[slot];
      if (next === undefined) break;
      // Found from its own slot on: it may move to the free one only if that does not come before.
      if (((slot - this.#homeOf(next.id)) & mask) < ((slot - free) & mask)) continue;
      slots[free] = next;
      free = slot;
    }
    slots[free] = undefined;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#slots = [];
    this.#size = 0;
  }

  /** A copy, in no order: they may be deleted meanwhile. */
  all(): readonly Value[] {
    return this.#slots.filter((value) => value !== undefined);
  }

  #homeOf(id: number): number {
    return Math.imul(id, GOLDEN) >>> this.#shift;
  }

  #put(value: Value): void {
    const slots = this.#slots;
    let slot = this.#homeOf(value.id);
    while (slots[slot] !== undefined) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = value;
  }

  #grow(): void {
    const before = this.#slots;
    const length = Math.max(MIN_SLOTS, before.length * 2);
    this.#slots = Array.from({ length }, () => undefined);
    this.#shift = Math.clz32(length) + 1;
    for (const value of before) if (value !== undefined) this.#put(value);
  }
}
