/**
 * The headers of one message: an ordered list, names in lower case.
 *
 * It lies over the flat list that a codec made (name, value, name, value …), so that a message that nobody looks at costs
 * nothing. Searches are linear: messages have some ten headers, and names are mostly interned, so a miss is a length check.
 */
export class HeaderMap {
  /** name, value, name, value …: for codecs. Changed by this class only. */
  readonly fields: string[];
  /** Names whose values no table may keep (HPACK's never-indexed), as the sender said. */
  neverIndexed: readonly string[] | undefined;

  /** @param fields owned by this map from now on; names in lower case */
  constructor(fields: string[] = [], neverIndexed?: readonly string[]) {
    this.fields = fields;
    this.neverIndexed = neverIndexed;
  }

  /** The first value. */
  get(name: string): string | undefined {
    const at = this.#find(name, 0);
    return at === -1 ? undefined : this.fields[at + 1];
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1;
  }

  /** All values joined with a comma, as RFC 9110 §5.3 reads repeated headers; undefined without any. */
  getJoined(name: string): string | undefined {
    let joined: string | undefined;
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2)) {
      const value = this.fields[at + 1] ?? "";
      joined = joined === undefined ? value : `${joined},${value}`;
    }
    return joined;
  }

  /** Appends, also where there is one of the name. */
  add(name: string, value: string): void {
    this.fields.push(name, value);
  }

  /** Replaces all of the name by one. */
  set(name: string, value: string): void {
    const at = this.#find(name, 0);
    if (at === -1) {
      this.fields.push(name, value);
      return;
    }
    this.fields[at + 1] = value;
    if (this.#find(name, at + 2) !== -1) this.#removeFrom(name, at + 2);
  }

  remove(name: string): void {
    const at = this.#find(name, 0);
    if (at !== -1) this.#removeFrom(name, at);
  }

  clone(): HeaderMap {
    return new HeaderMap(this.fields.slice(), this.neverIndexed);
  }

  #find(name: string, from: number): number {
    const fields = this.fields;
    for (let i = from; i < fields.length; i += 2) if (fields[i] === name) return i;
    return -1;
  }

  #removeFrom(name: string, from: number): void {
    const fields = this.fields;
    let kept = from;
    for (let i = from; i < fields.length; i += 2) {
      if (fields[i] === name) continue;
      fields[kept] = fields[i] ?? "";
      fields[kept + 1] = fields[i + 1] ?? "";
      kept += 2;
    }
    fields.length = kept;
  }
}
