import { buckets, type Bus, type KeyValue } from "@fairlead/bus";
import { type CompileRound, IncrementalCompiler, nothingBefore } from "@fairlead/compile";
import type { Logger } from "@fairlead/logging";
import type { Catalogue, Change } from "@fairlead/model";
import type { CatalogueReader } from "@fairlead/store";
import { BucketContent } from "./bucket-content.ts";
import type { BucketChange } from "./bucket-entry.ts";
import { BucketReplica } from "./bucket-replica.ts";

export interface WarmMeshOptions {
  readonly store: CatalogueReader;
  readonly bus: Bus;
  readonly logger: Logger;
}

/** What a look at the store gave. */
export type Found =
  | { readonly kind: "changes"; readonly changes: readonly Change[]; readonly revision: number }
  | { readonly kind: "catalogue"; readonly catalogue: Catalogue };

export interface TakenIn {
  readonly round: CompileRound;
  /** For a bucket that holds what this has compiled before. */
  readonly change: BucketChange;
}

interface Compiled {
  readonly compiler: IncrementalCompiler;
  readonly content: BucketContent;
}

/**
 * The mesh as it is compiled here, beside what the bucket holds. It reads and compiles, and writes nothing: a standby has one as well as the
 * active compiler, so that taking over costs a comparison.
 *
 * Three things may differ from the active one's. Which revision it is at: it takes what is missing from the change log. Which text of a
 * rejected policy was the last good one, because rounds are cut differently: the bucket says it (`adoptBucket`). What a failed computation
 * that is no policy's gave last: its own memory counts, as after a restart; where there is none, there is nothing.
 */
export class WarmMesh {
  readonly #options: WarmMeshOptions;
  readonly bucket: KeyValue;
  readonly replica: BucketReplica;
  #compiled: Compiled | undefined;
  #revision = 0;

  private constructor(options: WarmMeshOptions, bucket: KeyValue) {
    this.#options = options;
    this.bucket = bucket;
    this.replica = new BucketReplica(bucket);
  }

  /** It follows the bucket from now on. @throws FairleadError FL_BUS_UNAVAILABLE */
  static async on(options: WarmMeshOptions): Promise<WarmMesh> {
    return new WarmMesh(options, await options.bus.keyValue(buckets.xds));
  }

  /** Of the catalogue that it has compiled; undefined before the first time. */
  get revision(): number | undefined {
    return this.#compiled === undefined ? undefined : this.#revision;
  }

  get compiler(): IncrementalCompiler {
    return this.#known.compiler;
  }

  /** What makes the bucket hold what is compiled, by what is known of the bucket. */
  get difference(): BucketChange {
    return this.#known.content.differenceTo(this.replica);
  }

  /** What has changed in the catalogue since the last round; all of it the first time, and where the log does not reach back. */
  async look(): Promise<Found> {
    const { store, logger } = this.#options;
    if (this.#compiled === undefined) return { kind: "catalogue", catalogue: await store.snapshot() };
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

  takeIn(found: Found): TakenIn {
    const compiled = (this.#compiled ??= {
      compiler: new IncrementalCompiler({ ...nothingBefore, policiesInForce: this.replica.policiesInForce }),
      content: new BucketContent(),
    });
    const revision = found.kind === "catalogue" ? found.catalogue.revision : found.revision;
    const taken = this.#round(compiled, ({ compiler }) =>
      found.kind === "catalogue" ? compiler.reset(found.catalogue) : compiler.apply(found.changes, revision),
    );
    this.#revision = revision;
    return taken;
  }

  /** What rejected policies fall back on is what the bucket holds of them. */
  adoptBucket(): TakenIn {
    return this.#round(this.#known, ({ compiler }) => compiler.fallBackOn(this.replica.policiesInForce));
  }

  async stop(): Promise<void> {
    await this.replica.stop();
  }

  get #known(): Compiled {
    if (this.#compiled === undefined) throw new Error("nothing is compiled yet");
    return this.#compiled;
  }

  /** What a round leaves that has thrown is not to be relied on: the next look begins anew. */
  #round(compiled: Compiled, compile: (compiled: Compiled) => CompileRound): TakenIn {
    this.#compiled = undefined;
    const round = compile(compiled);
    const change = compiled.content.take(round);
    this.#compiled = compiled;
    return { round, change };
  }
}
