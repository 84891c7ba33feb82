import type { Changes } from "./changes.ts";
import type { CommitWatch } from "./commit-watch.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { LoadClient } from "./load-client.ts";

/** What a measurement is made with. */
export interface BenchRun {
  readonly controlPlane: ControlPlane;
  readonly commits: CommitWatch;
  readonly changes: Changes;
  readonly load: LoadClient;
  /** Says what is being done. */
  readonly progress: (what: string) => void;
}
