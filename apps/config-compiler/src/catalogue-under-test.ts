import { CatalogueReplica, type Change, keyOf } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import type { AdvisoryLock, CatalogueReader, ChangePage } from "@fairlead/store";

/** A catalogue in memory, with a change log and a lock, for tests of what reads it. */
export class CatalogueUnderTest implements CatalogueReader {
  readonly #now = new CatalogueReplica();
  readonly #log: Change[] = [];
  #logBegins = 0;
  #holder: AbortController | undefined;
  /** Rejects every call while set. */
  failure: Error | undefined;
  snapshots = 0;

  /** Writes values as one revision. @returns it */
  put(kind: Change["kind"], ...values: NonNullable<Change["value"]>[]): number {
    const revision = this.#now.revision + 1;
    for (const value of values)
      this.#append({ kind, value, key: keyOf({ kind, value }), revision, traceparent: undefined } as Change);
    return revision;
  }

  putPolicies(text: string): number {
    return this.put("policy", ...parsePolicies(text, { file: "p.yaml" }).policies.map(({ object }) => object));
  }

  /** The log forgets all that it has. */
  trim(): void {
    this.#logBegins = this.#now.revision;
    this.#log.length = 0;
  }

  /** The session that holds the lock dies. */
  breakLock(): void {
    this.#holder?.abort();
    this.#holder = undefined;
  }

  async revision(): Promise<number> {
    return this.#now.revision;
  }

  async snapshot(): Promise<CatalogueReplica> {
    if (this.failure !== undefined) throw this.failure;
    this.snapshots += 1;
    const copy = new CatalogueReplica();
    copy.reset(this.#now);
    return copy;
  }

  async changesSince(revision: number): Promise<ChangePage> {
    if (this.failure !== undefined) throw this.failure;
    if (revision < this.#logBegins) return { gap: true };
    return {
      gap: false,
      changes: this.#log.filter((change) => change.revision > revision),
      revision: this.#now.revision,
    };
  }

  async tryLock(): Promise<AdvisoryLock | undefined> {
    if (this.failure !== undefined) throw this.failure;
    if (this.#holder !== undefined) return undefined;
    const holder = new AbortController();
    this.#holder = holder;
    return {
      lost: holder.signal,
      release: async () => {
        if (this.#holder === holder) this.#holder = undefined;
      },
    };
  }

  #append(change: Change): void {
    this.#log.push(change);
    this.#now.apply(change);
  }
}
