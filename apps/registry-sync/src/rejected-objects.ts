import { setTimeout as pause } from "node:timers/promises";
import type { JobQueue } from "./policy-work/job-queue.ts";
import type { JobResults } from "./policy-work/jobs.ts";

export interface RejectedObjectsOptions {
  readonly worker: Pick<JobQueue, "run">;
  /** How long somebody who could have an older answer waits for the newest. @default 2000 */
  readonly patienceMs?: number;
}

/** What the compiler does not take: found out by a compile, so kept until the catalogue has changed. */
export class RejectedObjects {
  readonly #options: RejectedObjectsOptions;
  #last: JobResults["rejected"] | undefined;
  #finding: Promise<JobResults["rejected"]> | undefined;

  constructor(options: RejectedObjectsOptions) {
    this.#options = options;
  }

  /** @returns of `revision` or a newer one; of an older one where that takes long @throws FairleadError as the worker, where nothing is known yet */
  async at(revision: number): Promise<JobResults["rejected"]> {
    const known = this.#last;
    if (known !== undefined && known.revision >= revision) return known;
    const finding = (this.#finding ??= this.#find());
    if (known === undefined) return await finding;
    const late = pause(this.#options.patienceMs ?? 2000, known, { ref: false });
    return await Promise.race([finding, late]).catch(() => known);
  }

  async #find(): Promise<JobResults["rejected"]> {
    try {
      return (this.#last = await this.#options.worker.run({ kind: "rejected" }));
    } finally {
      this.#finding = undefined;
    }
  }
}
