import type { Head } from "@fairlead/fairlead-api";
import { bucketKeyOf, parseBucketKey } from "./bucket-layout.ts";
import { decodeEntry, type DecodedEntry } from "./decode-entry.ts";
import { MeshSnapshot, type SnapshotChange, type SnapshotDifference } from "./mesh-snapshot.ts";
import type { ResourceView } from "./resource-view.ts";

/** What one `head` of the bucket brought into force. */
export interface ReplicaCommit extends SnapshotDifference {
  readonly revision: number;
  /** W3C trace context of the change; undefined when it carries none. */
  readonly traceparent: string | undefined;
}

export interface SnapshotReplicaOptions {
  /** Called after a commit is in force: `viewOf` answers with the new state. */
  readonly onCommit: (commit: ReplicaCommit) => void;
  /** Called for an entry that cannot be read and is therefore left out; what was known under its key stays. */
  readonly onSkipped: (bucketKey: string, reason: unknown) => void;
}

/** One write of the bucket; `value` undefined = the key was deleted. */
export interface BucketEntry {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/**
 * Follows the bucket of compiled resources; it is the watcher that `KeyValue.watch` takes.
 *
 * Entries are staged until `head` arrives and then applied as one commit, so that nobody sees half a change. A snapshot
 * that ends with entries behind its head is the first half of a change: they have replaced values that head's
 * revision had, so it waits for the next head. After `restarted` the new state is staged beside the old one and comes
 * into force as a commit of the difference; until then, and for ever if the bucket stays empty, the last good state stays.
 */
export class SnapshotReplica {
  readonly #options: SnapshotReplicaOptions;
  readonly #mesh = new MeshSnapshot();
  readonly #staged = new Map<string, SnapshotChange>();
  /** Keys that the new snapshot has, readable or not; undefined unless a new state is staged beside the old. */
  #seen: Set<string> | undefined;
  #inSnapshot = true;
  /** The head of an unfinished snapshot, as long as nothing came behind it. */
  #snapshotHead: Head | undefined;
  #revision = 0;
  #synced = false;

  constructor(options: SnapshotReplicaOptions) {
    this.#options = options;
  }

  /** Whether there has been a commit. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Of the last commit; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  viewOf(nodeId: string): ResourceView {
    return this.#mesh.viewOf(nodeId);
  }

  /** What a node sees that nobody registered. */
  everything(): ResourceView {
    return this.#mesh.viewOf("");
  }

  scopeOf(nodeId: string): string {
    return this.#mesh.scopeOf(nodeId);
  }

  entry({ key, value }: BucketEntry): void {
    const parsed = parseBucketKey(key);
    if (parsed === undefined) return;
    this.#snapshotHead = undefined;
    if (value === undefined) {
      this.#seen?.delete(key);
      if (parsed.kind !== "head") this.#staged.set(key, { kind: parsed.kind, id: parsed.id, value: undefined });
      return;
    }
    this.#seen?.add(key);
    let decoded: DecodedEntry;
    try {
      decoded = decodeEntry(parsed, value);
    } catch (reason) {
      this.#staged.delete(key);
      this.#options.onSkipped(key, reason);
      return;
    }
    if (decoded.kind !== "head") this.#staged.set(key, decoded);
    else if (this.#inSnapshot) this.#snapshotHead = decoded.value;
    else this.#commit(decoded.value);
  }

  snapshotComplete(): void {
    this.#inSnapshot = false;
    if (this.#snapshotHead !== undefined) this.#commit(this.#snapshotHead);
  }

  restarted(): void {
    this.#staged.clear();
    this.#snapshotHead = undefined;
    this.#inSnapshot = true;
    this.#seen = new Set();
  }

  #commit(head: Head): void {
    if (this.#seen !== undefined) this.#stageRemovals(this.#seen);
    this.#seen = undefined;
    this.#snapshotHead = undefined;
    const difference = this.#mesh.apply([...this.#staged.values()]);
    this.#staged.clear();
    this.#revision = Number(head.revision);
    this.#synced = true;
    this.#options.onCommit({
      ...difference,
      revision: this.#revision,
      traceparent: head.traceparent === "" ? undefined : head.traceparent,
    });
  }

  /** What the old state holds and the new snapshot does not name is gone. */
  #stageRemovals(seen: ReadonlySet<string>): void {
    for (const kind of ["resource", "scope", "node"] as const) {
      for (const id of this.#mesh.ids(kind)) {
        const key = bucketKeyOf(kind, id);
        if (!seen.has(key)) this.#staged.set(key, { kind, id, value: undefined });
      }
    }
  }
}
