import { cellBacked } from "./cell-backed.ts";
import { cellsOf, layoutOf, type StatClass } from "./cell-layout.ts";
import { StatBlock, type StatBlockShare } from "./stat-block.ts";
import type { StatStore } from "./stat-store.ts";

/** Gauges of what a thread has under way: nothing of it is left when the thread has died. */
const ofLife = /_active$|_buffered$/;

/**
 * The groups of all threads, made by the thread that controls the others: it is thread 0. It must hand the blocks out
 * (`takeNew`) before the other threads want their groups.
 */
export class SharedStats implements StatStore {
  readonly #threads: number;
  readonly #blocks = new Map<
    string,
    { readonly block: StatBlock; readonly type: StatClass<object>; readonly group: object }
  >();
  #new: StatBlock[] = [];
  #lastId = 0;

  /** @param threads with this one */
  constructor(threads: number) {
    this.#threads = threads;
  }

  create<Group extends object>(key: string, type: StatClass<Group>): Group {
    const known = this.#blocks.get(key);
    if (known !== undefined && known.type === type) return known.group as Group;
    const memory = new SharedArrayBuffer(cellsOf(type) * 8 * this.#threads);
    const names = Array.from({ length: this.#threads }, () => new Map<number, string>());
    const block = new StatBlock({ key, id: ++this.#lastId, memory, names }, 0, () => undefined);
    const group = cellBacked(type, block);
    this.#blocks.set(key, { block, type, group });
    this.#new.push(block);
    return group;
  }

  forget(key: string): void {
    this.#blocks.delete(key);
    this.#new = this.#new.filter((block) => block.key !== key);
  }

  /** Those that were made since the last time. */
  takeNew(): StatBlockShare[] {
    const taken = this.#new.map((block) => block.share());
    this.#new = [];
    return taken;
  }

  /** For a thread that begins, or may have missed some. */
  all(): StatBlockShare[] {
    return [...this.#blocks.values()].map(({ block }) => block.share());
  }

  /** A thread has named one of its cells. */
  noteName(thread: number, key: string, cell: number, name: string): void {
    this.#blocks.get(key)?.block.noteName(thread, cell, name);
  }

  /** A thread has died: what it had under way is no more. */
  endOf(thread: number): void {
    for (const { block, type } of this.#blocks.values()) clearGauges(block, type, thread);
  }
}

/** The groups of one of the other threads. */
export class SharedStatsOfThread implements StatStore {
  readonly #thread: number;
  readonly #blocks = new Map<string, StatBlock>();
  readonly #onName: (key: string, cell: number, name: string) => void;

  /** @param onName the controlling thread is to be told (`noteName`) */
  constructor(thread: number, onName: (key: string, cell: number, name: string) => void) {
    this.#thread = thread;
    this.#onName = onName;
  }

  /** One that is known stays: its groups know best which of its cells have names. */
  add(shares: Iterable<StatBlockShare>): void {
    for (const share of shares) {
      if (this.#blocks.get(share.key)?.id === share.id) continue;
      this.#blocks.set(share.key, new StatBlock(share, this.#thread, this.#onName));
    }
  }

  /** A group that the controlling thread does not have counts all the same, seen by nobody else. */
  create<Group extends object>(key: string, type: StatClass<Group>): Group {
    const block = this.#blocks.get(key);
    return block === undefined ? new type() : cellBacked(type, block);
  }

  forget(key: string): void {
    this.#blocks.delete(key);
  }
}

function clearGauges(block: StatBlock, type: StatClass<object>, thread: number): void {
  const cells = block.slices[thread]!;
  const clear = (of: StatClass<object>, at: number): void => {
    const { numbers, groups } = layoutOf(of);
    for (const [index, name] of numbers.entries()) if (ofLife.test(name)) cells[at + index] = 0;
    for (const group of groups) clear(group.type, at + group.at);
  };
  clear(type, 0);
}
