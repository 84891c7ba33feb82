/**
 * The bytes of one read, lent to whoever is told of them:
 *
 * ```
 *   read ─▶ memory ─▶ slices ─▶ a stream ─▶ a writer ─▶ the system
 *             ▲                                │
 *             └──── the next read, if all of the slices have gone out before the read was served
 * ```
 *
 * Who is told need not know of it: slices that somebody keeps do not go out in time, and then the memory is theirs. Only who holds
 * bytes and sends them as well must say so (`unshared` of `StreamSender.sendData`).
 */
export class ReadLoan {
  readonly #memory: ArrayBufferLike;
  goneBytes = 0;

  constructor(bytes: Buffer) {
    this.#memory = bytes.buffer;
  }

  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.#memory;
  }
}

let current: ReadLoan | undefined;

/** Of a read that is served now. One at a time. */
export function lend(bytes: Buffer): ReadLoan {
  current = new ReadLoan(bytes);
  return current;
}

export function endLoan(): void {
  current = undefined;
}

/** @returns undefined for bytes that are not lent */
export function loanOf(bytes: Buffer): ReadLoan | undefined {
  return current !== undefined && current.holds(bytes) ? current : undefined;
}
