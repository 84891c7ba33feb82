/**
 * `next`: the one to come, or the first of all. `gap`: revisions before it were missed. `duplicate`: the last one again.
 * `late`: older than the last one.
 */
export type RevisionStep = "next" | "gap" | "duplicate" | "late";

/**
 * Says of each revision of a stream how it follows the last one. On a `gap` the reader asks the source of truth for
 * what is after the last revision it applied. Late and duplicate ones do not move `last`.
 */
export class RevisionGap {
  #last: number | undefined;

  /** @param last the revision that the reader has already; without it the first revision seen is `next` */
  constructor(last?: number) {
    this.#last = last;
  }

  /** The newest revision seen; undefined before the first. */
  get last(): number | undefined {
    return this.#last;
  }

  /** @param previous the newest revision that this message does not cover, where one message may cover several. @default revision - 1 */
  observe(revision: number, previous: number = revision - 1): RevisionStep {
    const last = this.#last;
    if (last !== undefined && revision <= last) return revision === last ? "duplicate" : "late";
    this.#last = revision;
    return last === undefined || previous <= last ? "next" : "gap";
  }
}
