import { mergeTouched, type ReplicaCommit, type TouchedNames } from "@fairlead/snapshot";
import type { PendingOfType } from "@fairlead/xds-stream";

/** Those that began with a commit, by what it touched: one set for all streams that it touched in the same. */
const begun = new WeakMap<TouchedNames, UnseenCommits>();

/**
 * Commits that a stream with a push before it has not looked at: it looks once, at its turn, at all that they touched. Never
 * altered, and shared by the streams that wait for the same, so that a further commit costs a stream one look-up.
 *
 *   commit 7 ← 8 ← 9     a stream holds the newest; what all of them touched is put together when the first one asks
 */
export class UnseenCommits {
  /** Revisions. */
  readonly first: number;
  readonly last: number;
  /** Since the first of them. ms since the epoch */
  readonly sinceMs: number;
  readonly #own: TouchedNames;
  /** undefined once `#all` is known. */
  #before: UnseenCommits | undefined;
  #all: TouchedNames | undefined;
  #after: { readonly touched: TouchedNames; readonly commits: UnseenCommits } | undefined;

  private constructor(touched: TouchedNames, revision: number, before: UnseenCommits | undefined) {
    this.first = before?.first ?? revision;
    this.last = revision;
    this.sinceMs = before?.sinceMs ?? Date.now();
    this.#own = touched;
    this.#before = before;
  }

  /** @param touched what the commit changed for the stream; each commit has another object */
  static with(
    before: UnseenCommits | undefined,
    touched: TouchedNames,
    { revision }: Pick<ReplicaCommit, "revision">,
  ): UnseenCommits {
    if (before !== undefined) return before.#with(touched, revision);
    let first = begun.get(touched);
    if (first?.last !== revision) begun.set(touched, (first = new UnseenCommits(touched, revision, undefined)));
    return first;
  }

  #with(touched: TouchedNames, revision: number): UnseenCommits {
    if (this.#after?.touched !== touched || this.#after.commits.last !== revision) {
      this.#after = { touched, commits: new UnseenCommits(touched, revision, this) };
    }
    return this.#after.commits;
  }

  /** @param wants whether the stream wants anything of a type */
  pending(wants: (typeUrl: string) => boolean): PendingOfType[] {
    const { first, last, sinceMs } = this;
    const types = [...this.touched.keys()].filter(wants);
    return types.map((typeUrl) => ({ typeUrl, first, last, state: "BLOCKED", detail: "queued", sinceMs }));
  }

  /** What any of them touched. */
  get touched(): TouchedNames {
    if (this.#all !== undefined) return this.#all;
    const parts = [this.#own];
    for (let at = this.#before; at !== undefined; at = at.#all === undefined ? at.#before : undefined) {
      parts.push(at.#all ?? at.#own);
    }
    this.#before = undefined;
    return (this.#all = mergeTouched(...parts));
  }
}
