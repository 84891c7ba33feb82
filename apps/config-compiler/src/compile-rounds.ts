import type { RejectedCompile } from "@fairlead/compile";
import type { Logger } from "@fairlead/logging";
import type { Change } from "@fairlead/model";
import { inSpan } from "@fairlead/telemetry";
import type { Announcer } from "./announcer.ts";
import type { BucketChange } from "./bucket-entry.ts";
import type { BucketWriter } from "./bucket-writer.ts";
import type { CompilerMetrics } from "./compiler-metrics.ts";
import type { Found, TakenIn, WarmMesh } from "./warm-mesh.ts";

export interface CompileRoundsOptions {
  readonly mesh: WarmMesh;
  readonly writer: BucketWriter;
  readonly announcer: Announcer;
  readonly metrics: CompilerMetrics;
  readonly logger: Logger;
  /** Aborted once this compiler may no longer write. */
  readonly ended: AbortSignal;
}

interface Compiled {
  readonly defects: TakenIn["round"]["defects"];
  readonly change: BucketChange;
}

/** One round after the other: compile, commit, announce. The first one makes the bucket hold all; further ones cost what has changed. */
export class CompileRounds {
  readonly #options: CompileRoundsOptions;

  constructor(options: CompileRoundsOptions) {
    this.#options = options;
  }

  /** Takes in what was found, and makes the bucket hold what is compiled, whatever it held before. @returns the revision */
  async takeOver(found: Found): Promise<number> {
    const { mesh } = this.#options;
    return await this.#round(found, () => {
      const { round } = mesh.takeIn(found);
      const adopted = mesh.adoptBucket();
      return { defects: [...round.defects, ...adopted.round.defects], change: mesh.difference };
    });
  }

  /** @returns the revision */
  async take(found: Found): Promise<number> {
    const { mesh } = this.#options;
    return await this.#round(found, () => {
      const { round, change } = mesh.takeIn(found);
      return { defects: round.defects, change };
    });
  }

  async #round(found: Found, compile: () => Compiled): Promise<number> {
    const changes: readonly Change[] = found.kind === "changes" ? found.changes : [];
    const revision = found.kind === "changes" ? found.revision : found.catalogue.revision;
    const traceparent = changes.findLast((change) => change.traceparent !== undefined)?.traceparent;
    const started = performance.now();
    await inSpan(
      "config.compile",
      { "fairlead.revision": revision, "fairlead.changes": changes.length },
      async () => {
        const { change, defects } = compile();
        const compileMs = performance.now() - started;
        const result = await this.#commit(change, revision, traceparent);
        const { compiler } = this.#options.mesh;
        const rejected = [...compiler.mesh.rejected, ...result.heldBack];
        const changedObjects = new Set(changes.map(({ kind, key }) => `${kind} ${key}`));
        const { announcer, metrics } = this.#options;
        await announcer.announce({ rejected, revision, ...result, changedObjects, traceparent, compileMs });
        const { resources } = compiler.mesh;
        metrics.compiled({ resources, rejected, result, revision, seconds: (performance.now() - started) / 1000 });
        this.#log(revision, { changed: result.changedKeys.length, removed: result.removedKeys.length, compileMs });
        this.#logTrouble(rejected, defects);
      },
      traceparent,
    );
    return revision;
  }

  async #commit(change: BucketChange, revision: number, traceparent: string | undefined) {
    const { writer, ended } = this.#options;
    return await inSpan("config.commit", { "fairlead.revision": revision }, async (span) => {
      const committed = await writer.commit(change, {
        revision,
        traceparent,
        aborted: ended,
        rejected: this.#options.mesh.compiler.mesh.rejected,
      });
      span.setAttribute("fairlead.changed", committed.changedKeys.length);
      return committed;
    });
  }

  #log(revision: number, counts: { changed: number; removed: number; compileMs: number }): void {
    this.#options.logger.info({ revision, ...counts, compileMs: Math.round(counts.compileMs) }, "compiled");
  }

  #logTrouble(rejected: readonly RejectedCompile[], defects: Compiled["defects"]): void {
    const { logger } = this.#options;
    for (const { provenance, code, message } of rejected)
      logger.warn({ object: provenance.key, code, reason: message }, "rejected");
    for (const { name, key, error } of defects)
      logger.error({ err: error, computation: name, key }, "a computation failed; what it gave before stays");
  }
}
