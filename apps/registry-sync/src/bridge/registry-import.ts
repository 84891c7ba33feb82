import { type LedgerChanges, type LedgerOptions, type Provider, ProviderLedger } from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import type { MeshNode } from "@fairlead/model";
import type { CatalogueWriter } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { ForeignRegistryEvents, RegistryReading } from "./foreign-registry.ts";
import { mirroredInstance, mirroredPrefix, providerOfInstance } from "./mirrored-instance.ts";

export interface RegistryImportOptions extends LedgerOptions {
  /** In the ids of nodes; of this registry alone. */
  readonly name: string;
  readonly store: Pick<CatalogueWriter, "write">;
  readonly logger: Logger;
  /** A change waits so long for others, so that a deploy is a few revisions. Milliseconds. @default 50 */
  readonly gatherMs?: number;
}

const retryMs = 1_000;
/** Instances of one transaction: others do not wait long. */
const batch = 5_000;

/** Brings what a registry tells into the catalogue. For as long as this process owns the registry. */
export class RegistryImport implements ForeignRegistryEvents {
  readonly #options: RegistryImportOptions;
  readonly #ledger: ProviderLedger;
  readonly #sources = new Map<string, readonly Provider[]>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;
  #unusable = 0;

  constructor(options: RegistryImportOptions) {
    this.#options = options;
    this.#ledger = new ProviderLedger(options);
  }

  /** Providers that the mesh cannot take: a name or version that it does not allow. */
  get unusable(): number {
    return this.#unusable;
  }

  get providers(): number {
    return this.#ledger.size;
  }

  /** What an owner before this one has written stays until the registry has been read. @throws FairleadError FL_STORE_UNAVAILABLE */
  async restore(): Promise<void> {
    const { store, name } = this.#options;
    const { result } = await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix(name)));
    this.#ledger.restore(result.map((instance) => providerOfInstance(instance, name)));
  }

  /** What is not written yet is left to the next owner. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  onAll({ providers: sources }: RegistryReading): void {
    this.#sources.clear();
    this.#unusable = 0;
    const usable = new Map<string, readonly Provider[]>();
    for (const [source, providers] of sources) {
      const kept = this.#usable(providers);
      this.#sources.set(source, kept);
      usable.set(source, kept);
    }
    const { missing, held } = this.#ledger.readAll(usable, performance.now());
    const { logger, name } = this.#options;
    if (held)
      logger.warn(
        { registry: name, missing },
        "a registry came back without most of its providers: they are kept for a while",
      );
    logger.info({ registry: name, sources: sources.size, unusable: this.#unusable }, "a registry was read");
    this.#schedule(0);
  }

  onProviders(source: string, providers: readonly Provider[]): void {
    const now = performance.now();
    const usable = this.#usable(providers);
    for (const before of this.#sources.get(source) ?? []) this.#ledger.remove(source, before, now);
    for (const provider of usable) this.#ledger.add(source, provider);
    if (usable.length === 0) this.#sources.delete(source);
    else this.#sources.set(source, usable);
    this.#schedule(this.#options.gatherMs ?? 50);
  }

  onRule(): void {
    // Rules become policy elsewhere.
  }

  onSuspended(): void {
    this.#options.logger.warn(
      { registry: this.#options.name },
      "a registry cannot be reached: its providers stay as they are",
    );
  }

  #leftOut(interfaces: readonly string[], instances: readonly { readonly interface: string }[]): void {
    if (interfaces.length === 0) return;
    const names = new Set(interfaces);
    this.#unusable += instances.filter((instance) => names.has(instance.interface)).length;
    this.#options.logger.warn(
      { registry: this.#options.name, interfaces: interfaces.slice(0, 10), count: interfaces.length },
      "interfaces are left out: others are there that differ in upper and lower case only",
    );
  }

  #usable(providers: readonly Provider[]): Provider[] {
    return providers.filter((provider) => {
      if (mirroredInstance(provider, this.#options.name) !== undefined) return true;
      if (provider.enabled && provider.weight > 0) this.#unusable++;
      return false;
    });
  }

  #schedule(delayMs: number): void {
    if (this.#stopped || this.#writing !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write(), delayMs);
  }

  #write(): void {
    const changes = this.#ledger.take(performance.now());
    this.#writing = this.#apply(changes)
      .then(
        () => undefined,
        (caught: unknown) => {
          const { logger, name } = this.#options;
          logger.warn(
            { err: FairleadError.from(caught), registry: name },
            "providers could not be written; it is tried again",
          );
          this.#ledger.retell(changes, performance.now());
          return retryMs;
        },
      )
      .then((waitMs) => {
        this.#writing = undefined;
        if (waitMs !== undefined) {
          this.#schedule(waitMs);
          return;
        }
        const next = this.#ledger.nextMs;
        if (next !== undefined) this.#schedule(Math.max(0, next - performance.now()));
      });
  }

  async #apply({ put, removed }: LedgerChanges): Promise<void> {
    if (put.length + removed.length === 0) return;
    const { store, name } = this.#options;
    const instancesOf = (providers: readonly Provider[]) =>
      providers.flatMap((provider) => mirroredInstance(provider, name) ?? []);
    await inSpan("registry.mirror", { "fairlead.registry": name }, async () => {
      for (let at = 0; at < put.length; at += batch) {
        const found = instancesOf(put.slice(at, at + batch));
        const nodes = new Map<string, MeshNode>(found.map(({ node }) => [node.id, node]));
        const instances = found.map(({ instance }) => instance);
        const { result } = await store.write(currentTraceparent(), (tx) =>
          tx.putMirrored([...nodes.values()], instances),
        );
        this.#leftOut(result, instances);
      }
      if (removed.length === 0) return;
      const gone = instancesOf(removed).map(({ instance }) => instance);
      await store.write(currentTraceparent(), (tx) => tx.removeMirrored(gone));
    });
  }
}
