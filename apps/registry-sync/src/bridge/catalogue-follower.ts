import { CatalogueReplica } from "@fairlead/model";
import type { CatalogueReader } from "@fairlead/store";

/** A copy of the catalogue that is brought up to date when somebody asks. Of nodes of its own it has what was there at the beginning. */
export class CatalogueFollower {
  readonly #store: Pick<CatalogueReader, "snapshot" | "changesSince">;
  readonly #replica = new CatalogueReplica();
  readonly #ownNodes: string;
  #begun = false;

  /** @param ownNodes begins the ids of nodes that this process writes: what becomes of them and their instances is not read back */
  constructor(store: Pick<CatalogueReader, "snapshot" | "changesSince">, ownNodes: string) {
    this.#store = store;
    this.#ownNodes = ownNodes;
  }

  /** @returns the catalogue, and whether it is another one than the last time @throws FairleadError FL_STORE_UNAVAILABLE */
  async read(): Promise<{ readonly catalogue: CatalogueReplica; readonly changed: boolean }> {
    const before = this.#replica.revision;
    if (!this.#begun) {
      this.#replica.reset(await this.#store.snapshot());
      this.#begun = true;
      return { catalogue: this.#replica, changed: true };
    }
    for (;;) {
      const page = await this.#store.changesSince(this.#replica.revision, { exceptNodes: this.#ownNodes });
      if (page.gap) {
        this.#replica.reset(await this.#store.snapshot());
        break;
      }
      for (const change of page.changes) this.#replica.apply(change);
      // Past what was left out, too: the log does not reach back to it for ever.
      this.#replica.revision = page.revision;
      if (page.changes.length === 0) break;
    }
    return { catalogue: this.#replica, changed: this.#replica.revision !== before };
  }
}
