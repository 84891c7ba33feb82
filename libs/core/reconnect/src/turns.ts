import { WaitingLine } from "./waiting-line.ts";

/** So much is under way at a time; more waits, in order. */
export class Turns {
  readonly #most: number;
  readonly #line = new WaitingLine();
  #underWay = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    // Who ends gives the turn to the first that waits: nobody who comes before that one goes on takes it.
    if (this.#underWay >= this.#most) await this.#line.join();
    else this.#underWay++;
    try {
      return await work();
    } finally {
      if (this.#underWay > this.#most || !this.#line.callNext()) this.#underWay--;
    }
  }

  /** Whoever waits goes ahead: what it does fails by itself. */
  callAll(): void {
    this.#underWay += this.#line.callAll();
  }
}
