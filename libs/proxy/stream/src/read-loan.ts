/**
 * The bytes of one read, lent to whoever is told of them:
 *
 * ```
 *   read ─▶ memory ─▶ slices ─▶ a stream ─▶ a writer ─▶ the system
 *             ▲                                │
 *             └──── the next read, if all of the slices have gone out before the read was served
 * ```
 *
 * Who is told need not know of it: slices that somebody keeps do not go out in time, and then the memory is theirs. Only of bytes that
 * somebody both holds and sends it cannot be told: who sends says whether there can be such a one (`unshared` of `StreamSender.sendData`).
 */
export class ReadLoan {
  readonly #memory: ArrayBufferLike;
  #goneBytes = 0;

  constructor(bytes: Buffer) {
    this.#memory = bytes.buffer;
  }

  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.#memory;
  }

  /** So many bytes have gone out, and nobody holds them any more. */
  return(bytes: number): void {
    this.#goneBytes += bytes;
  }

  /** Somebody holds bytes that go out as well. */
  keep(): void {
    this.#goneBytes = Number.NaN;
  }

  /** Whether all that was passed on is back. */
  isSettled(passedBytes: number): boolean {
    return this.#goneBytes === passedBytes;
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

/**
 * For who sends by a codec that collects by itself.
 *
 * @param free the codec does not hold the bytes
 * @param unshared nor does anybody else
 */
export function tellLoan(bytes: Buffer, free: boolean, unshared: boolean): void {
  const loan = loanOf(bytes);
  if (!unshared) loan?.keep();
  else if (free) loan?.return(bytes.length);
}
