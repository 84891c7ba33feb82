import { fromBinary } from "@bufbuild/protobuf";
import { type Bus, buckets } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";
import { ConfigPushedSchema, HeadSchema } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import { headKey, rejectedKey, unpack } from "@fairlead/snapshot";
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
    const { compiled, published } = await this.#onBus().catch((error: unknown) => {
      unknown("the last commit of the compiler")(error);
      return { compiled: undefined, published: undefined };
    });
    const report = { revision, activeForMs, compiled };
    // What nobody has compiled yet, and nobody will soon, is found out here.
    if (published !== undefined && (activeForMs !== undefined || published.revision >= revision))
      return { ...report, rejected: published };
    return { ...report, rejected: await rejected.at(revision).catch(unknown("what the compiler rejects")) };
  }

  /** The last commit, and what is rejected at it; a compiler of an older version does not say that. */
  async #onBus(): Promise<Pick<CompilerReport, "compiled"> & { readonly published: CompilerReport["rejected"] }> {
    const { bus } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`the bus did not answer within ${busTimeoutMs} ms`)), busTimeoutMs);
    try {
      const read = async () => {
        const bucket = await bus.keyValue(buckets.xds);
        // In this order: what is rejected is written before the commit.
        return [await bucket.get(headKey), await bucket.get(rejectedKey)] as const;
      };
      const [head, rejected] = await Promise.race([read(), late]);
      if (head?.value === undefined) return { compiled: undefined, published: undefined };
      const { revision, compilerId, compiledAtMs } = fromBinary(HeadSchema, head.value);
      const compiled = { compiler: compilerId, revision: Number(revision), atMs: Number(compiledAtMs) };
      if (rejected?.value === undefined) return { compiled, published: undefined };
      return { compiled, published: { revision: compiled.revision, rejected: rejectedIn(rejected.value) } };
    } finally {
      clearTimeout(timer);
    }
  }
}

function rejectedIn(entry: Uint8Array): JobResults["rejected"]["rejected"] {
  return fromBinary(ConfigPushedSchema, unpack(entry)).rejected.map(({ object, code, message }) => ({
    kind: object?.kind ?? "",
    key: object?.key ?? "",
    file: object?.file ?? "",
    line: object?.line ?? 0,
    code,
    message,
  }));
}
