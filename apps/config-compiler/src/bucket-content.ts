import type { MeshDifference } from "@fairlead/compile";
import { type BucketChange, changeOfDifference, type DigestedEntry, digested } from "./bucket-entry.ts";
import type { BucketReplica } from "./bucket-replica.ts";

/** What the bucket is to hold of a compiled mesh. Digests are made once, when the content changes, so that comparing costs little. */
export class BucketContent {
  readonly #entries = new Map<string, DigestedEntry>();

  /** @returns what is to be written for a bucket that held what there was before */
  take(difference: MeshDifference): BucketChange {
    const { entries, removedKeys } = changeOfDifference(difference);
    const changed = entries.map((entry) => {
      const content = entry.encode();
      const kept = digested(entry, content);
      this.#entries.set(entry.key, kept);
      // Only what is about to be written has its bytes at hand.
      return { ...kept, encode: () => content };
    });
    for (const key of removedKeys) this.#entries.delete(key);
    return { entries: changed, removedKeys };
  }

  /** @returns what is to be written for a bucket that holds what the replica says */
  differenceTo(replica: BucketReplica): BucketChange {
    return {
      entries: [...this.#entries.values()].filter(({ key, digest }) => replica.digestOf(key) !== digest),
      removedKeys: replica.keys.filter((key) => !this.#entries.has(key)),
    };
  }
}
