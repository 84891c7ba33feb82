/** What threads share of a block; passed by `postMessage`. */
export interface StatBlockShare {
  readonly key: string;
  /** Of this block and no other, also of the same key. */
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  /** Of each thread: cell → name. */
  readonly names: readonly ReadonlyMap<number, string>[];
}

/**
 * The cells of one group in all threads. A thread writes its own slice only, so that no count needs a lock or an atomic operation:
 * an aligned double is written and read as a whole.
 *
 * ```
 *   memory: | thread 0: a b c … | thread 1: a b c … | thread 2: a b c … |
 * ```
 */
export class StatBlock {
  readonly key: string;
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  /** The cells of each thread. */
  readonly slices: readonly Float64Array[];
  readonly thread: number;
  readonly own: Float64Array;
  readonly #names: Map<number, string>[];
  readonly #onName: (key: string, cell: number, name: string) => void;

  /**
   * @param thread the index of the thread that is to count
   * @param onName this thread has named a cell
   */
  constructor(
    { key, id, memory, names }: StatBlockShare,
    thread: number,
    onName: (key: string, cell: number, name: string) => void,
  ) {
    this.key = key;
    this.id = id;
    this.memory = memory;
    const bytes = memory.byteLength / names.length;
    this.slices = names.map((_names, i) => new Float64Array(memory, i * bytes, bytes / 8));
    this.thread = thread;
    this.own = this.slices[thread]!;
    this.#names = names.map((known) => new Map(known));
    this.#onName = onName;
  }

  namesOf(thread: number): ReadonlyMap<number, string> {
    return this.#names[thread]!;
  }

  nameCell(cell: number, name: string): void {
    this.noteName(this.thread, cell, name);
    this.#onName(this.key, cell, name);
  }

  /** Another thread has named one of its cells. */
  noteName(thread: number, cell: number, name: string): void {
    this.#names[thread]!.set(cell, name);
  }

  share(): StatBlockShare {
    return { key: this.key, id: this.id, memory: this.memory, names: this.#names };
  }
}
