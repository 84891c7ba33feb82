import type { Index, Input } from "./source.ts";

type AnyIndex = Index<unknown>;

const none: ReadonlySet<string> = new Set();

/** Sets of keys by group, each with its sorted list while that holds. */
class Groups {
  readonly #members = new Map<string, Set<string>>();
  readonly #sorted = new Map<string, readonly string[]>();

  add(group: string, key: string): void {
    const members = this.#members.get(group) ?? new Set();
    this.#members.set(group, members.add(key));
    this.#sorted.delete(group);
  }

  remove(group: string, key: string): void {
    const members = this.#members.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#members.delete(group);
    this.#sorted.delete(group);
  }

  sorted(group: string): readonly string[] {
    const known = this.#sorted.get(group);
    if (known !== undefined) return known;
    const sorted = [...(this.#members.get(group) ?? [])].toSorted();
    if (sorted.length > 0) this.#sorted.set(group, sorted);
    return sorted;
  }
}

/** All inputs' values, with the indexes over them. An index is made when it is first read, and kept from then on. */
export class Facts {
  readonly #values = new Map<Input<unknown>, Map<string, unknown>>();
  readonly #groups = new Map<AnyIndex, Groups>();
  readonly #indexes = new Map<Input<unknown>, AnyIndex[]>();

  valueOf(input: Input<unknown>, key: string): unknown {
    return this.#values.get(input)?.get(key);
  }

  entriesOf(input: Input<unknown>): ReadonlyMap<string, unknown> {
    return this.#values.get(input) ?? new Map();
  }

  groupOf(index: AnyIndex, group: string): readonly string[] {
    return (this.#groups.get(index) ?? this.#build(index)).sorted(group);
  }

  /** @returns the groups that the key joined or left, by index; undefined when the value is the same as before */
  set(input: Input<unknown>, key: string, value: unknown): Map<AnyIndex, ReadonlySet<string>> | undefined {
    const values = this.#values.get(input) ?? new Map<string, unknown>();
    this.#values.set(input, values);
    const before = values.get(key);
    if (input.same(before, value)) return undefined;
    if (value === undefined) values.delete(key);
    else values.set(key, value);
    const moved = new Map<AnyIndex, ReadonlySet<string>>();
    for (const index of this.#indexes.get(input) ?? []) {
      const groups = this.#groups.get(index)!;
      const left = before === undefined ? none : new Set(index.groupsOf(before, key));
      const joined = value === undefined ? none : new Set(index.groupsOf(value, key));
      // Most changes are new keys, which leave nothing, or keys that stay where they are.
      const stays = left.size > 0 && left.size === joined.size && joined.isSubsetOf(left);
      if (stays) continue;
      for (const group of left) if (!joined.has(group)) groups.remove(group, key);
      for (const group of joined) if (!left.has(group)) groups.add(group, key);
      moved.set(index, left.size === 0 ? joined : joined.size === 0 ? left : left.symmetricDifference(joined));
    }
    return moved;
  }

  #build(index: AnyIndex): Groups {
    const groups = new Groups();
    for (const [key, value] of this.entriesOf(index.input)) {
      for (const group of index.groupsOf(value, key)) groups.add(group, key);
    }
    this.#groups.set(index, groups);
    this.#indexes.set(index.input, [...(this.#indexes.get(index.input) ?? []), index]);
    return groups;
  }
}
