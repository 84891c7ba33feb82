interface Waiting {
  active: number;
  readonly begin: (() => void)[];
}

export interface QuestionLaneOptions {
  /** Questions at a time. */
  readonly total: number;
  /** Of these to one address. */
  readonly perAddress: number;
}

/**
 * Questions to many addresses, so many at a time in all and so many to one of them. Addresses take turns: who has thousands of instances, and
 * does not answer, holds up nobody else.
 */
export class QuestionLane {
  readonly #options: QuestionLaneOptions;
  readonly #byAddress = new Map<string, Waiting>();
  /** Addresses that something waits for and that may be asked, in turn. */
  readonly #ready = new Set<string>();
  #active = 0;

  constructor(options: QuestionLaneOptions) {
    this.#options = options;
  }

  async run<T>(address: string, question: () => Promise<T>): Promise<T> {
    const at = this.#byAddress.get(address) ?? { active: 0, begin: [] };
    this.#byAddress.set(address, at);
    await new Promise<void>((resolve) => {
      at.begin.push(resolve);
      this.#look(address, at);
      this.#next();
    });
    try {
      return await question();
    } finally {
      this.#active--;
      at.active--;
      this.#look(address, at);
      if (at.active + at.begin.length === 0) this.#byAddress.delete(address);
      this.#next();
    }
  }

  #look(address: string, at: Waiting): void {
    if (at.begin.length > 0 && at.active < this.#options.perAddress) this.#ready.add(address);
    else this.#ready.delete(address);
  }

  #next(): void {
    while (this.#active < this.#options.total) {
      const [address] = this.#ready;
      if (address === undefined) return;
      // Behind the others, where more waits for it.
      this.#ready.delete(address);
      const at = this.#byAddress.get(address)!;
      this.#active++;
      at.active++;
      const begin = at.begin.shift()!;
      this.#look(address, at);
      begin();
    }
  }
}
