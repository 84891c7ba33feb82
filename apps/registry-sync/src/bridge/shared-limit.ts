/** So many of something for all sources of a registry together: who writes millions into it takes no more of this process than that. */
export class SharedLimit {
  readonly #max: number;
  readonly #granted = new Map<string, number>();
  readonly #beyond = new Map<string, number>();
  #total = 0;
  #left = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** What sources have wanted and not been granted. */
  get leftOut(): number {
    return this.#left;
  }

  /** @returns how many of them a source may have, instead of what it had before */
  grant(source: string, wanted: number): number {
    this.#total -= this.#granted.get(source) ?? 0;
    this.#left -= this.#beyond.get(source) ?? 0;
    const granted = Math.min(wanted, this.#max - this.#total);
    this.#note(this.#granted, source, granted);
    this.#note(this.#beyond, source, wanted - granted);
    this.#total += granted;
    this.#left += wanted - granted;
    return granted;
  }

  clear(): void {
    this.#granted.clear();
    this.#beyond.clear();
    this.#total = 0;
    this.#left = 0;
  }

  #note(counts: Map<string, number>, source: string, count: number): void {
    if (count === 0) counts.delete(source);
    else counts.set(source, count);
  }
}
