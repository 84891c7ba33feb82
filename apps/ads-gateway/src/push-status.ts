import type { ReplicaCommit } from "@fairlead/snapshot";
import type { PushLane } from "./push-lane.ts";

export interface LaneStatus {
  readonly lane: PushLane;
  /** Streams that wait for the debounce. */
  readonly announced: number;
  /** How long the first change has been held back; 0 when none is. */
  readonly heldMs: number;
}

export interface CommitStatus {
  readonly revision: number;
  readonly atMs: number;
  readonly changed: number;
  readonly removed: number;
  readonly proxies: number;
}

/** What is being pushed. */
export interface PushStatus {
  readonly queue: { readonly waiting: number; readonly running: number };
  readonly lanes: readonly LaneStatus[];
  /** The newest first. */
  readonly commits: readonly CommitStatus[];
}

const maxCommits = 20;

/** The last commits, for who asks how far they have got. */
export class CommitHistory {
  readonly #commits: CommitStatus[] = [];

  get newestFirst(): readonly CommitStatus[] {
    return this.#commits;
  }

  add({ revision, changed, removed }: ReplicaCommit, proxies: number): void {
    this.#commits.unshift({ revision, atMs: Date.now(), changed: changed.size, removed: removed.size, proxies });
    if (this.#commits.length > maxCommits) this.#commits.pop();
  }
}
