import { tooDeep } from "./hessian-error.ts";

/** A frame that ends with the byte of the grammar's end, not after a number of values. */
export const UNTIL_END = -1;

const maxDepth = 4096;

/**
 * How many values are still to come on each level of a value: a stack of its own, as the bytes decide how deep it goes and
 * must not decide how deep the program recurses. Kept by a skipper and used again.
 */
export class Nesting {
  readonly #left: number[] = [];
  #depth = 0;

  get depth(): number {
    return this.#depth;
  }

  get top(): number {
    return this.#left[this.#depth - 1] ?? 0;
  }

  clear(): void {
    this.#depth = 0;
  }

  /** @throws FairleadError FL_HESSIAN_TOO_DEEP */
  push(values: number, at: number): void {
    if (this.#depth >= maxDepth) throw tooDeep(this.#depth, at);
    this.#left[this.#depth++] = values;
  }

  pop(): void {
    this.#depth--;
  }

  /** One value of the level less. */
  countDown(): void {
    const left = this.#left[this.#depth - 1]!;
    if (left !== UNTIL_END) this.#left[this.#depth - 1] = left - 1;
  }
}
