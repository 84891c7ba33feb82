import { FairleadError } from "@fairlead/errors";
import type { Bus } from "@fairlead/bus";
import { buckets } from "@fairlead/bus";
import { compile, type CompiledBefore, type CompiledMesh, nothingBefore } from "@fairlead/compile";
import type { Logger } from "@fairlead/logging";
import { CatalogueReplica, type Change } from "@fairlead/model";
import type { AdvisoryLock, CatalogueReader } from "@fairlead/store";
import { detached, inSpan } from "@fairlead/telemetry";
import { Announcer } from "./announcer.ts";
import { BucketWriter } from "./bucket-writer.ts";
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

/** A change that a round takes in; without kind and key, the whole catalogue was read anew. */
type RoundChange = Pick<Change, "revision" | "traceparent"> & Partial<Pick<Change, "kind" | "key">>;

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
  /** What was compiled last, to keep what can no longer be compiled. */
  #before: CompiledBefore = nothingBefore;

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

  /** Compiles until it is stopped, or the lock is lost, or the store or bus fails. */
  async #lead(lock: AdvisoryLock): Promise<void> {
    const { store, bus, pollIntervalMs } = this.#options;
    const ended = AbortSignal.any([lock.lost, this.#stop.signal]);
    const wakeUp = () => this.#wake.wake();
    ended.addEventListener("abort", wakeUp);
    this.#settle("loading");
    let rewrite = true;
    const writer = new BucketWriter(await bus.keyValue(buckets.xds), this.#options.compilerId, () => {
      rewrite = true;
      this.#wake.wake();
    });
    try {
      const catalogue = new CatalogueReplica();
      catalogue.reset(await store.snapshot());
      await Promise.race([writer.loaded, new Promise((resolve) => ended.addEventListener("abort", resolve))]);
      this.#before = { ...nothingBefore, policiesInForce: new Map(writer.policiesInForce) };
      while (!ended.aborted) {
        const changes = await this.#readChanges(catalogue);
        if (rewrite || changes.length > 0) {
          rewrite = false;
          await this.#round(catalogue, changes, writer, ended).catch((error: unknown) => {
            rewrite = true;
            throw error;
          });
        }
        this.#settle("active");
        await this.#wake.within(pollIntervalMs);
      }
    } finally {
      ended.removeEventListener("abort", wakeUp);
      await writer.stop();
    }
  }

  /** Brings the replica up to date. @returns what changed; the whole catalogue was read anew where the log did not reach back */
  async #readChanges(catalogue: CatalogueReplica): Promise<readonly RoundChange[]> {
    const { store, logger } = this.#options;
    const all: Change[] = [];
    for (;;) {
      const page = await store.changesSince(catalogue.revision);
      if (page.gap) {
        logger.warn(
          { revision: catalogue.revision },
          "the change log does not reach back this far; reading the whole catalogue",
        );
        catalogue.reset(await store.snapshot());
        return [{ revision: catalogue.revision }];
      }
      if (page.changes.length === 0) return all;
      for (const change of page.changes) catalogue.apply(change);
      catalogue.revision = page.revision;
      all.push(...page.changes);
    }
  }

  async #round(
    catalogue: CatalogueReplica,
    changes: readonly RoundChange[],
    writer: BucketWriter,
    ended: AbortSignal,
  ): Promise<void> {
    const { metrics, logger } = this.#options;
    const revision = catalogue.revision;
    const traceparent = changes.findLast((change) => change.traceparent !== undefined)?.traceparent;
    const started = performance.now();
    await inSpan(
      "config.compile",
      { "fairlead.revision": revision, "fairlead.changes": changes.length },
      async () => {
        const mesh: CompiledMesh = compile(catalogue, this.#before);
        const compileMs = performance.now() - started;
        const result = await inSpan("config.commit", { "fairlead.revision": revision }, async (span) => {
          const committed = await writer.commit(mesh, revision, traceparent, ended);
          span.setAttribute("fairlead.changed", committed.changedKeys.length);
          return committed;
        });
        const changedObjects = new Set(
          changes.flatMap(({ kind, key }) => (kind === undefined ? [] : [`${kind} ${key}`])),
        );
        await this.#announcer.announce({ mesh, revision, ...result, changedObjects, traceparent, compileMs });
        this.#before = mesh;
        metrics.compiled(mesh, result, revision, (performance.now() - started) / 1000);
        this.#revision = revision;
        logger.info(
          {
            revision,
            changed: result.changedKeys.length,
            removed: result.removedKeys.length,
            compileMs: Math.round(compileMs),
          },
          "compiled",
        );
        for (const { provenance, code, message } of mesh.rejected)
          logger.warn({ object: provenance.key, code, reason: message }, "rejected");
      },
      traceparent,
    );
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
