import { CatalogueReplica } from "@fairlead/model";
import type { CatalogueReader } from "@fairlead/store";

/** A copy of the catalogue that is brought up to date when somebody asks. */
export class CatalogueFollower {
  readonly #store: Pick<CatalogueReader, "snapshot" | "changesSince">;
  readonly #replica = new CatalogueReplica();
  #begun = false;

  constructor(store: Pick<CatalogueReader, "snapshot" | "changesSince">) {
    this.#store = store;
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
      const page = await this.#store.changesSince(this.#replica.revision);
      if (page.gap) {
        this.#replica.reset(await this.#store.snapshot());
        break;
      }
      for (const change of page.changes) this.#replica.apply(change);
      if (page.changes.length === 0) break;
    }
    return { catalogue: this.#replica, changed: this.#replica.revision !== before };
  }
}
