import type { CompileRound, IncrementalCompiler } from "@fairlead/compile";
import type { Logger } from "@fairlead/logging";
import type { Catalogue, Change } from "@fairlead/model";
import { inSpan } from "@fairlead/telemetry";
import type { Announcer } from "./announcer.ts";
import type { BucketWriter, CommitOptions, CommitResult } from "./bucket-writer.ts";
import type { CompilerMetrics } from "./compiler-metrics.ts";

export interface CompileRoundsOptions {
  readonly compiler: IncrementalCompiler;
  readonly writer: BucketWriter;
  readonly announcer: Announcer;
  readonly metrics: CompilerMetrics;
  readonly logger: Logger;
  /** Aborted once this compiler may no longer write. */
  readonly ended: AbortSignal;
}

/** One round after the other: compile, commit, announce. The first one makes the bucket hold all; further ones cost what has changed. */
export class CompileRounds {
  readonly #options: CompileRoundsOptions;
  #isFirst = true;

  constructor(options: CompileRoundsOptions) {
    this.#options = options;
  }

  /** @returns its revision */
  async takeCatalogue(catalogue: Catalogue): Promise<number> {
    return await this.#round([], catalogue.revision, (compiler) => compiler.reset(catalogue));
  }

  /** @param revision of the catalogue with all of the changes. @returns it */
  async takeChanges(changes: readonly Change[], revision: number): Promise<number> {
    return await this.#round(changes, revision, (compiler) => compiler.apply(changes, revision));
  }

  async #round(
    changes: readonly Change[],
    revision: number,
    compile: (compiler: IncrementalCompiler) => CompileRound,
  ): Promise<number> {
    const { compiler, announcer, metrics, logger, ended } = this.#options;
    const traceparent = changes.findLast((change) => change.traceparent !== undefined)?.traceparent;
    const started = performance.now();
    await inSpan(
      "config.compile",
      { "fairlead.revision": revision, "fairlead.changes": changes.length },
      async () => {
        const round = compile(compiler);
        const compileMs = performance.now() - started;
        const result = await this.#commit(round, { revision, traceparent, aborted: ended });
        const { mesh } = compiler;
        const changedObjects = new Set(changes.map(({ kind, key }) => `${kind} ${key}`));
        await announcer.announce({ mesh, revision, ...result, changedObjects, traceparent, compileMs });
        metrics.compiled(mesh, result, revision, (performance.now() - started) / 1000);
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
        for (const { name, key, error } of round.defects)
          logger.error({ err: error, computation: name, key }, "a computation failed; what it gave before stays");
      },
      traceparent,
    );
    return revision;
  }

  async #commit(round: CompileRound, options: CommitOptions): Promise<CommitResult> {
    const { writer, compiler } = this.#options;
    return await inSpan("config.commit", { "fairlead.revision": options.revision }, async (span) => {
      const committed = this.#isFirst
        ? await writer.commitAll(compiler.mesh, options)
        : await writer.commit(round, options);
      this.#isFirst = false;
      span.setAttribute("fairlead.changed", committed.changedKeys.length);
      return committed;
    });
  }
}
