import { FairleadError } from "@fairlead/errors";
import type { Bus } from "@fairlead/bus";
import { buckets } from "@fairlead/bus";
import { IncrementalCompiler, nothingBefore } from "@fairlead/compile";
import type { Logger } from "@fairlead/logging";
import type { Catalogue, Change } from "@fairlead/model";
import type { AdvisoryLock, CatalogueReader } from "@fairlead/store";
import { detached } from "@fairlead/telemetry";
import { Announcer } from "./announcer.ts";
import { BucketWriter } from "./bucket-writer.ts";
import { CompileRounds } from "./compile-rounds.ts";
import type { CompilerMetrics } from "./compiler-metrics.ts";
import type { CompilerRole } from "./compiler-role.ts";
import { Wake } from "./wake.ts";

export interface CompileLoopOptions {
  readonly store: CatalogueReader;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: CompilerMetrics;
  readonly compilerId: string;
  /** The longest time between two looks at the store. */
  readonly pollIntervalMs: number;
}

/** What a look at the store gave. */
type Found =
  | { readonly kind: "changes"; readonly changes: readonly Change[]; readonly revision: number }
  | { readonly kind: "catalogue"; readonly catalogue: Catalogue };

const lockName = "config-compiler";
const standbyRetryMs = 500;
const minFailurePauseMs = 100;
const maxFailurePauseMs = 2000;

/**
 * Follows the change log, compiles, commits, announces; one compiler of all replicas at a time.
 *
 * A message is only a hint to look. Changes that arrive while it works are taken together in the next round.
 */
export class CompileLoop {
  readonly #options: CompileLoopOptions;
  readonly #announcer: Announcer;
  readonly #wake = new Wake();
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #role: CompilerRole = "standby";
  #revision = 0;
  #trouble: string | undefined;

  constructor(options: CompileLoopOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options.bus);
  }

  get role(): CompilerRole {
    return this.#role;
  }

  /** The last revision that was committed by this compiler. */
  get revision(): number {
    return this.#revision;
  }

  /** What keeps it from its work, in words; undefined when nothing does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  start(): void {
    this.#done = detached(async () => await this.#run());
  }

  /** There may be changes: look now. */
  hint(): void {
    this.#wake.wake();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    let pauseMs = minFailurePauseMs;
    while (!this.#stop.signal.aborted) {
      try {
        const lock = await this.#options.store.tryLock(lockName);
        if (lock === undefined) {
          this.#settle("standby");
          await this.#wake.within(standbyRetryMs);
          continue;
        }
        try {
          await this.#lead(lock);
          pauseMs = minFailurePauseMs;
        } finally {
          this.#settle("standby");
          await lock
            .release()
            .catch((error: unknown) => this.#options.logger.debug({ err: error }, "lock was gone already"));
        }
      } catch (caught) {
        if (this.#stop.signal.aborted) return;
        this.#report(FairleadError.from(caught));
        await this.#wake.within(pauseMs);
        pauseMs = Math.min(pauseMs * 2, maxFailurePauseMs);
      }
    }
  }

  /** Compiles until it is stopped, or the lock is lost, or the store or bus fails, or somebody else writes into the bucket. */
  async #lead(lock: AdvisoryLock): Promise<void> {
    const { store, bus, compilerId, pollIntervalMs } = this.#options;
    this.#settle("loading");
    const writer = new BucketWriter(await bus.keyValue(buckets.xds), compilerId);
    const ended = AbortSignal.any([lock.lost, writer.lost, this.#stop.signal]);
    const wakeUp = () => this.#wake.wake();
    ended.addEventListener("abort", wakeUp);
    try {
      const catalogue = await store.snapshot();
      await Promise.race([writer.loaded, new Promise((resolve) => ended.addEventListener("abort", resolve))]);
      if (ended.aborted) return;
      const compiler = new IncrementalCompiler({ ...nothingBefore, policiesInForce: writer.policiesInForce });
      const rounds = new CompileRounds({ ...this.#options, announcer: this.#announcer, writer, compiler, ended });
      this.#revision = await rounds.takeCatalogue(catalogue);
      while (!ended.aborted) {
        this.#settle("active");
        await this.#wake.within(pollIntervalMs);
        if (ended.aborted) break;
        const found = await this.#look();
        if (found.kind === "catalogue") this.#revision = await rounds.takeCatalogue(found.catalogue);
        else if (found.changes.length > 0) this.#revision = await rounds.takeChanges(found.changes, found.revision);
      }
      writer.lost.throwIfAborted();
    } finally {
      ended.removeEventListener("abort", wakeUp);
      await writer.stop();
    }
  }

  /** What has changed since the last round; the whole catalogue where the log does not reach back. */
  async #look(): Promise<Found> {
    const { store, logger } = this.#options;
    const changes: Change[] = [];
    let revision = this.#revision;
    for (;;) {
      const page = await store.changesSince(revision);
      if (page.gap) {
        logger.warn({ revision }, "the change log does not reach back this far; reading the whole catalogue");
        return { kind: "catalogue", catalogue: await store.snapshot() };
      }
      if (page.changes.length === 0) return { kind: "changes", changes, revision };
      changes.push(...page.changes);
      revision = page.revision;
    }
  }

  #settle(role: CompilerRole): void {
    if (role !== this.#role) this.#options.logger.info({ role }, "role");
    this.#role = role;
    this.#options.metrics.role(role);
    if (role === "active") {
      if (this.#trouble !== undefined) this.#options.logger.info("works again");
      this.#trouble = undefined;
    }
  }

  /** Logs a failure once, not at each retry. */
  #report(error: FairleadError): void {
    const trouble = `${error.code}: ${error.message}`;
    if (trouble !== this.#trouble)
      this.#options.logger.error({ err: error, code: error.code }, "cannot compile; trying again");
    this.#trouble = trouble;
  }
}
