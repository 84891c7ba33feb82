import { fromBinary } from "@bufbuild/protobuf";
import { type Bus, buckets } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";
import { HeadSchema } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import { headKey } from "@fairlead/snapshot";
import { lockNames, type Store } from "@fairlead/store";
import type { JobResults } from "./policy-work/jobs.ts";
import type { RejectedObjects } from "./rejected-objects.ts";

/** What is known of the compilers. */
export interface CompilerReport {
  /** The newest revision of the catalogue. */
  readonly revision: number;
  /** For how long one has been active; undefined: none is. */
  readonly activeForMs: number | undefined;
  /** The last commit; undefined before the first, and while the bus is away. */
  readonly compiled: { readonly compiler: string; readonly revision: number; readonly atMs: number } | undefined;
  /** What the compiler does not take now; undefined where that could not be found out in time. */
  readonly rejected: JobResults["rejected"] | undefined;
}

export interface CompilerViewOptions {
  readonly store: Pick<Store, "revision" | "lockHeldForMs">;
  readonly bus: Bus;
  readonly rejected: Pick<RejectedObjects, "at">;
  readonly logger: Logger;
}

const busTimeoutMs = 2000;

/** Who compiles, how far it has got, and what it does not take. */
export class CompilerView {
  readonly #options: CompilerViewOptions;

  constructor(options: CompilerViewOptions) {
    this.#options = options;
  }

  /** @throws FairleadError FL_STORE_UNAVAILABLE */
  async read(): Promise<CompilerReport> {
    const { store, rejected, logger } = this.#options;
    const [revision, activeForMs] = await Promise.all([store.revision(), store.lockHeldForMs(lockNames.compiler)]);
    const unknown = (what: string) => (caught: unknown) => {
      const error = FairleadError.from(caught);
      logger.warn({ code: error.code, reason: error.message }, `${what} is not known`);
      return undefined;
    };
    const [compiled, found] = await Promise.all([
      this.#head().catch(unknown("the last commit of the compiler")),
      rejected.at(revision).catch(unknown("what the compiler rejects")),
    ]);
    return { revision, activeForMs, compiled, rejected: found };
  }

  async #head(): Promise<CompilerReport["compiled"]> {
    const { bus } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`the bus did not answer within ${busTimeoutMs} ms`)), busTimeoutMs);
    try {
      const entry = await Promise.race([bus.keyValue(buckets.xds).then((bucket) => bucket.get(headKey)), late]);
      if (entry?.value === undefined) return undefined;
      const { revision, compilerId, compiledAtMs } = fromBinary(HeadSchema, entry.value);
      return { compiler: compilerId, revision: Number(revision), atMs: Number(compiledAtMs) };
    } finally {
      clearTimeout(timer);
    }
  }
}
