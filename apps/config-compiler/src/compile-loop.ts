import { FairleadError } from "@fairlead/errors";
import type { Bus } from "@fairlead/bus";
import type { Logger } from "@fairlead/logging";
import { type AdvisoryLock, type CatalogueReader, lockNames } from "@fairlead/store";
import { detached } from "@fairlead/telemetry";
import { Announcer } from "./announcer.ts";
import { BucketWriter } from "./bucket-writer.ts";
import { CompileRounds } from "./compile-rounds.ts";
import type { CompilerMetrics } from "./compiler-metrics.ts";
import type { CompilerRole } from "./compiler-role.ts";
import { SoleWriter } from "./sole-writer.ts";
import { Wake } from "./wake.ts";
import { WarmMesh } from "./warm-mesh.ts";

export interface CompileLoopOptions {
  readonly store: CatalogueReader;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: CompilerMetrics;
  readonly compilerId: string;
  /** The longest time between two looks at the store. */
  readonly pollIntervalMs: number;
  /** Whether everything is kept compiled while another compiler is active. */
  readonly hotStandby: boolean;
}

/** How often a standby tries to get the lock, and looks at the store where it was told that something has changed. */
const standbyIntervalMs = 250;
const minFailurePauseMs = 100;
const maxFailurePauseMs = 2000;

/**
 * Follows the change log, compiles, commits, announces; one compiler of all replicas at a time. The others compile too, and write nothing.
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
  #mesh: WarmMesh | undefined;
  /** Somebody has said that there are changes, and nobody has looked since. */
  #isHinted = false;
  #lookedAt = 0;

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

  /** Whether it could go on at once if it had to: it is active, or has compiled what there is. A cold standby always says yes. */
  get isWarm(): boolean {
    if (this.#role !== "standby") return this.#role === "active";
    return !this.#options.hotStandby || this.#hasCompiled;
  }

  /** What keeps it from its work, in words; undefined when nothing does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  start(): void {
    this.#done = detached(async () => await this.#run());
  }

  /** There may be changes: look now, or as a standby soon. */
  hint(): void {
    this.#isHinted = true;
    if (this.#role !== "standby") this.#wake.wake();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.wake();
    await this.#done;
    await this.#forget();
  }

  get #hasCompiled(): boolean {
    return this.#mesh?.revision !== undefined;
  }

  async #run(): Promise<void> {
    let pauseMs = minFailurePauseMs;
    while (!this.#stop.signal.aborted) {
      try {
        const lock = await this.#options.store.tryLock(lockNames.compiler);
        if (lock === undefined) {
          this.#settle("standby");
          await this.#followAlong();
          pauseMs = minFailurePauseMs;
          await this.#wake.within(standbyIntervalMs);
          continue;
        }
        try {
          await this.#lead(lock);
          pauseMs = minFailurePauseMs;
        } finally {
          this.#settle("standby");
          if (!this.#options.hotStandby) await this.#forget();
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

  /** Compiles what there is, or has changed, and writes nothing. */
  async #followAlong(): Promise<void> {
    const { hotStandby, pollIntervalMs, logger } = this.#options;
    if (!hotStandby) return;
    const mesh = await this.#meshOnBus();
    const isDue = this.#isHinted || performance.now() - this.#lookedAt >= pollIntervalMs;
    // What the bucket holds says what rejected policies fall back on; without it nothing is begun.
    if (mesh.replica.sequence === undefined || (this.#hasCompiled && !isDue)) return;
    const wasWarm = this.#hasCompiled;
    mesh.takeIn(await this.#look(mesh));
    if (!wasWarm) logger.info({ revision: mesh.revision }, "everything is compiled; standing by");
    this.#works();
  }

  /** Compiles until it is stopped, or the lock is lost, or the store or bus fails, or somebody else writes into the bucket. */
  async #lead(lock: AdvisoryLock): Promise<void> {
    const { compilerId, pollIntervalMs, metrics, logger } = this.#options;
    this.#settle("loading");
    const mesh = await this.#meshOnBus();
    const allowed = AbortSignal.any([lock.lost, this.#stop.signal]);
    const sole = await SoleWriter.claim(mesh.bucket, mesh.replica, compilerId, allowed);
    const ended = AbortSignal.any([allowed, sole.lost]);
    const wakeUp = () => this.#wake.wake();
    ended.addEventListener("abort", wakeUp);
    try {
      const writer = new BucketWriter({ writer: sole, replica: mesh.replica, compilerId });
      const rounds = new CompileRounds({ mesh, writer, announcer: this.#announcer, metrics, logger, ended });
      // After the claim: nothing newer than what is found can have been committed by another.
      this.#revision = await rounds.takeOver(await this.#look(mesh));
      while (!ended.aborted) {
        this.#settle("active");
        await this.#wake.within(pollIntervalMs);
        if (ended.aborted) break;
        const found = await this.#look(mesh);
        if (found.kind === "catalogue" || found.changes.length > 0) this.#revision = await rounds.take(found);
      }
      sole.lost.throwIfAborted();
    } finally {
      ended.removeEventListener("abort", wakeUp);
      mesh.replica.listen(undefined);
    }
  }

  async #look(mesh: WarmMesh) {
    this.#isHinted = false;
    this.#lookedAt = performance.now();
    return await mesh.look();
  }

  async #meshOnBus(): Promise<WarmMesh> {
    return (this.#mesh ??= await WarmMesh.on(this.#options));
  }

  async #forget(): Promise<void> {
    const mesh = this.#mesh;
    this.#mesh = undefined;
    await mesh?.stop();
  }

  #settle(role: CompilerRole): void {
    if (role !== this.#role) this.#options.logger.info({ role }, "role");
    this.#role = role;
    this.#options.metrics.role(role);
    if (role === "active") this.#works();
  }

  #works(): void {
    if (this.#trouble !== undefined) this.#options.logger.info("works again");
    this.#trouble = undefined;
  }

  /** Logs a failure once, not at each retry. */
  #report(error: FairleadError): void {
    const trouble = `${error.code}: ${error.message}`;
    if (trouble !== this.#trouble)
      this.#options.logger.error({ err: error, code: error.code }, "cannot compile; trying again");
    this.#trouble = trouble;
  }
}
