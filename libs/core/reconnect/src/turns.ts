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
    if (this.#underWay >= this.#most) await this.#line.join();
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#line.callNext();
    }
  }

  /** Whoever waits goes ahead: what it does fails by itself. */
  callAll(): void {
    this.#line.callAll();
  }
}
