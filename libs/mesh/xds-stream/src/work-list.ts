/** Announced: a commit touched it. Due: may be sent. Owed: asked for, so it is sent although the client may have it. */
const announced = 1;
const due = 2;
const owed = 3;

type Level = typeof announced | typeof due | typeof owed;

/** Names that one client may have to be sent, each with the reason. Costs nothing while there are none. */
export class WorkList {
  #levels: Map<string, Level> | undefined;
  readonly #counts: [number, number, number, number] = [0, 0, 0, 0];

  get hasWork(): boolean {
    return this.#levels !== undefined;
  }
  /** Something is due or owed. */
  get due(): boolean {
    return this.#counts[due] + this.#counts[owed] > 0;
  }
  get owed(): boolean {
    return this.#counts[owed] > 0;
  }

  announce(name: string): void {
    this.#raise(name, announced);
  }
  makeDue(name: string): void {
    this.#raise(name, due);
  }
  owe(name: string): void {
    this.#raise(name, owed);
  }

  /** All that is announced is due. */
  release(): void {
    if (this.#counts[announced] === 0) return;
    for (const [name, level] of this.#levels ?? []) if (level === announced) this.#raise(name, due);
  }

  isOwed(name: string): boolean {
    return this.#levels?.get(name) === owed;
  }

  /** What is due or owed, what is owed first. A copy. */
  dueNames(): string[] {
    const names: string[] = [];
    for (const [name, level] of this.#levels ?? []) if (level === owed) names.push(name);
    for (const [name, level] of this.#levels ?? []) if (level === due) names.push(name);
    return names;
  }

  names(): Iterable<string> {
    return this.#levels?.keys() ?? [];
  }

  delete(name: string): void {
    const level = this.#levels?.get(name);
    if (level === undefined) return;
    this.#counts[level]--;
    this.#levels?.delete(name);
    if (this.#levels?.size === 0) this.#levels = undefined;
  }

  clear(): void {
    this.#levels = undefined;
    this.#counts.fill(0);
  }

  #raise(name: string, level: Level): void {
    this.#levels ??= new Map();
    const last = this.#levels.get(name);
    if (last !== undefined && last >= level) return;
    if (last !== undefined) this.#counts[last]--;
    this.#counts[level]++;
    this.#levels.set(name, level);
  }
}
