/** Something that reads bytes which a stranger has sent. */
export interface FuzzTarget {
  readonly name: string;
  /** Folders or files whose coverage counts, from the repository's root. */
  readonly sources: readonly string[];
  readonly seeds: () => readonly Buffer[];
  /** What is put into inputs: words of the format. */
  readonly dictionary: readonly Buffer[];
  /**
   * Reads one input in all the ways that must agree.
   *
   * @returns what came of it, in a few words: an input with a new outcome is kept
   * @throws Error when a promise is broken: an error that is not the codec's own, another outcome of the same bytes in other pieces, …
   */
  readonly run: (bytes: Buffer) => string;
}

/** A message without the numbers and names of its input, which would make each outcome a new one. */
export function outcomeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, "#")
    .replaceAll(/(?<=value of )\S+|(?<=: ).*$/g, "…")
    .slice(0, 60);
}

/** Pieces of `bytes`, cut where the bytes themselves say: the same input is always cut alike. */
export function pieces(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  let state = bytes.length;
  while (at < bytes.length) {
    state = (Math.imul(state, 31) + (bytes[at] ?? 0) + 7) >>> 0;
    const length = state % 4 === 0 ? 1 : 1 + (state % 97);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

export function words(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, "latin1"));
}

export function hex(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, "hex"));
}
