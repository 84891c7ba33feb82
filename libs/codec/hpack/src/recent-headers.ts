const SLOTS = 64;

/** Remembers some of the last headers, without growing: one slot for each of 64 hashes. */
export class RecentHeaders {
  /** Made with the first header: most of many connections are idle. */
  #names: string[] = [];
  #values: string[] = [];

  /** Whether this header was met lately; it has been from now on. */
  seen(name: string, value: string): boolean {
    if (this.#names.length === 0) {
      this.#names = Array.from({ length: SLOTS }, () => "");
      this.#values = Array.from({ length: SLOTS }, () => "");
    }
    const hash = name.length * 31 + value.length * 7 + lastCode(name) * 3 + lastCode(value);
    const slot = hash % SLOTS;
    if (this.#values[slot] === value && this.#names[slot] === name) return true;
    this.#names[slot] = name;
    this.#values[slot] = value;
    return false;
  }
}

function lastCode(text: string): number {
  return text === "" ? 0 : text.charCodeAt(text.length - 1);
}
