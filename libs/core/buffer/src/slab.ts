/** A piece of memory that several may hold. The last one to let it go gives it back to where it came from. */
export class Slab {
  readonly bytes: Buffer;
  readonly #onFree: ((slab: Slab) => void) | undefined;
  #references = 1;

  /** The maker holds the first reference. @param onFree gets it back; undefined for memory that is the garbage collector's */
  constructor(bytes: Buffer, onFree: ((slab: Slab) => void) | undefined) {
    this.bytes = bytes;
    this.#onFree = onFree;
  }

  get references(): number {
    return this.#references;
  }

  /** Whether its bytes mean something else, or must not be touched, after the last reference is gone. */
  get goesBack(): boolean {
    return this.#onFree !== undefined;
  }

  retain(): this {
    if (this.#references === 0) throw new Error("a slab is held again after it was given back");
    this.#references++;
    return this;
  }

  /** @throws Error when it was given back already: a second holder's bytes would be overwritten */
  release(): void {
    if (this.#references === 0) throw new Error("a slab is given back twice");
    this.#references--;
    if (this.#references === 0) this.#onFree?.(this);
  }
}
