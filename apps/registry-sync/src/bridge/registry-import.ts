import {
  type LedgerChanges,
  type LedgerOptions,
  type Provider,
  ProviderLedger,
  type RuleDocument,
  ruleNamespace,
} from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Catalogue, MeshNode } from "@fairlead/model";
import type { CatalogueWriter } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { ForeignRegistryEvents, RegistryReading } from "./foreign-registry.ts";
import { inBatches } from "./import-batches.ts";
import { mirroredInstance, mirroredPrefix, providerOfInstance } from "./mirrored-instance.ts";
import { ProviderIndex } from "./provider-index.ts";
import { ProviderSieve, type ProviderSieveOptions } from "./provider-sieve.ts";
import { RuleBook, type RuleProblem } from "./rule-book.ts";

export interface RegistryImportOptions extends LedgerOptions, ProviderSieveOptions {
  readonly store: Pick<CatalogueWriter, "write">;
  /** More are left out. @default 50000 */
  readonly maxRules?: number;
  /** A change waits so long for others, so that a deploy is a few revisions. Milliseconds. @default 50 */
  readonly gatherMs?: number;
}

const retryMs = 1_000;
const defaultLossHoldMs = 120_000;

/** Brings what a registry tells into the catalogue: providers as instances, rules as policies. For as long as this process owns the registry. */
export class RegistryImport implements ForeignRegistryEvents {
  readonly #options: RegistryImportOptions;
  readonly #ledger: ProviderLedger;
  readonly #rules: RuleBook;
  readonly #index: ProviderIndex;
  /** As they were read; and as rules leave them, those that the mesh can take. */
  readonly #read = new Map<string, readonly Provider[]>();
  readonly #taken = new Map<string, readonly Provider[]>();
  /** Interfaces whose policies may have changed. */
  readonly #dirty = new Set<string>();
  /** Everything was read once: what nobody has any more of what was written before can be told. */
  #whole = false;
  /** Rules that are not there any more, and count until they are let go. */
  readonly #held = new Set<string>();
  #letGo: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;
  readonly #sieve: ProviderSieve;
  /** Interfaces that are left out, as others differ in case only. */
  readonly #leftOut = new Set<string>();
  /** Rules have changed: what they leave of providers is to be found out again. */
  #rulesChanged = false;
  /** When the timer is due; on the clock of `performance`. */
  #dueMs = Infinity;

  constructor(options: RegistryImportOptions) {
    this.#options = options;
    this.#ledger = new ProviderLedger(options);
    this.#rules = new RuleBook(options.name, options.logger, options.maxRules);
    this.#sieve = new ProviderSieve(options);
    this.#index = new ProviderIndex(options.name);
  }

  /** Providers that the mesh cannot take: a name or version that it does not allow. */
  get unusable(): number {
    let count = this.#sieve.unusable;
    for (const name of this.#leftOut) count += this.#index.countOf(name);
    return count;
  }

  get providers(): number {
    return this.#ledger.size;
  }

  get rules(): number {
    return this.#rules.size;
  }

  /** Providers and rules beyond the limits. */
  get leftOut(): number {
    return this.#sieve.leftOut + this.#rules.leftOut;
  }

  get ruleProblems(): readonly RuleProblem[] {
    return this.#rules.problems;
  }

  /** What an owner before this one has written stays until the registry has been read. */
  restore({ instances, policies }: Pick<Catalogue, "instances" | "policies">): void {
    const { name } = this.#options;
    const own = [...instances.values()].filter(({ nodeId }) => nodeId.startsWith(mirroredPrefix(name)));
    const providers = own.map((instance) => providerOfInstance(instance, name));
    this.#ledger.restore(providers);
    for (const provider of providers) this.#index.put(provider);
    this.#rules.restore([...policies.values()].filter(({ namespace }) => namespace === ruleNamespace(name)));
  }

  /** What else is in the mesh: rules are for all that serve an interface. */
  meshChanged(catalogue: Pick<Catalogue, "instances" | "nodes">): void {
    const changed = this.#index.setOthers(catalogue);
    // Before the registry was read its rules are not known: what the owner before made of them stays.
    if (changed.length === 0 || !this.#whole) return;
    for (const name of changed) this.#dirty.add(name);
    this.#schedule(this.#options.gatherMs ?? 50);
  }

  /** What is not written yet is left to the next owner. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#letGo);
    await this.#writing;
  }

  onAll({ providers: sources, rules, asked = new Map() }: RegistryReading): void {
    const missed = [...this.#read.keys()].filter((source) => !sources.has(source) && !asked.has(source));
    this.#holdRules(this.#rules.setAll(rules, missed.length * 2 > this.#read.size));
    this.#read.clear();
    this.#taken.clear();
    this.#sieve.clear();
    this.#rulesChanged = false;
    for (const [source, all] of sources) {
      const providers = this.#sieve.admit(source, all);
      if (providers.length > 0) this.#read.set(source, providers);
      this.#taken.set(source, this.#usable(source, providers));
    }
    const { logger, name } = this.#options;
    const { missing, held } = this.#ledger.readAll(this.#taken, performance.now(), asked);
    if (held)
      logger.warn(
        { registry: name, missing },
        "a registry came back without most of its providers: they are kept for a while",
      );
    logger.info(
      { registry: name, sources: sources.size, unusable: this.unusable, rules: rules.size },
      "a registry was read",
    );
    this.#whole = true;
    this.#allDirty();
    this.#schedule(0);
  }

  onProviders(source: string, providers: readonly Provider[]): void {
    const admitted = this.#sieve.admit(source, providers);
    if (admitted.length === 0) this.#read.delete(source);
    else this.#read.set(source, admitted);
    this.#take(source, admitted);
    this.#ledger.settle(source, performance.now());
    this.#schedule(this.#options.gatherMs ?? 50);
  }

  onRule(source: string, document: RuleDocument | undefined): void {
    this.#held.delete(source);
    const concerned = this.#rules.set(source, document);
    if (concerned === undefined) this.#allDirty();
    else for (const name of concerned) this.#dirty.add(name);
    this.#rulesChanged = true;
    this.#schedule(this.#options.gatherMs ?? 50);
  }

  onSuspended(): void {
    this.#options.logger.warn(
      { registry: this.#options.name },
      "a registry cannot be reached: its providers stay as they are",
    );
  }

  /** Rules that a registry has lost with its providers are kept as long as these. */
  #holdRules(sources: readonly string[]): void {
    clearTimeout(this.#letGo);
    this.#held.clear();
    for (const source of sources) this.#held.add(source);
    if (this.#held.size === 0 || this.#stopped) return;
    this.#letGo = setTimeout(() => {
      for (const source of this.#held) this.onRule(source, undefined);
    }, this.#options.lossHoldMs ?? defaultLossHoldMs);
  }

  /** What a source has now, for the ledger. */
  #take(source: string, providers: readonly Provider[]): void {
    const now = performance.now();
    const before = this.#taken.get(source) ?? [];
    const usable = this.#usable(source, providers);
    if (usable.length === before.length && usable.every((provider, index) => provider === before[index])) return;
    // One that is still registered and takes no calls any more was taken out on purpose.
    for (const provider of before) this.#ledger.remove(source, provider, now, { atOnce: providers.length > 0 });
    for (const provider of usable) this.#ledger.add(source, provider);
    if (usable.length === 0) this.#taken.delete(source);
    else this.#taken.set(source, usable);
  }

  #allDirty(): void {
    for (const name of this.#index.interfaces) this.#dirty.add(name);
  }

  #noteLeftOut(interfaces: readonly string[], instances: readonly { readonly interface: string }[]): void {
    for (const { interface: name } of instances) this.#leftOut.delete(name);
    if (interfaces.length === 0) return;
    for (const name of interfaces) this.#leftOut.add(name);
    this.#options.logger.warn(
      { registry: this.#options.name, interfaces: interfaces.slice(0, 10), count: interfaces.length },
      "interfaces are left out: others are there that differ in upper and lower case only",
    );
  }

  #usable(source: string, providers: readonly Provider[]): Provider[] {
    return this.#sieve.pass(source, providers, (provider) => this.#rules.effective(provider));
  }

  /** The earlier one counts: changes that come one after the other without a pause do not put each other off. */
  #schedule(delayMs: number): void {
    if (this.#stopped || this.#writing !== undefined) return;
    const dueMs = performance.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write(), delayMs);
  }

  #write(): void {
    this.#dueMs = Infinity;
    if (this.#rulesChanged) {
      this.#rulesChanged = false;
      for (const [source, providers] of this.#read) this.#take(source, providers);
    }
    const changes = this.#ledger.take(performance.now());
    const dirty = [...this.#dirty];
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
          for (const one of dirty) this.#dirty.add(one);
          return retryMs;
        },
      )
      .then((waitMs) => {
        this.#writing = undefined;
        if (waitMs !== undefined) {
          this.#schedule(waitMs);
          return;
        }
        const next = this.#rulesChanged || this.#dirty.size > 0 ? 0 : this.#ledger.nextMs;
        if (next !== undefined) this.#schedule(Math.max(0, next - performance.now()));
      });
  }

  /** A transaction each. An interface's policies come with the last of its providers: no call goes past its rules, and no rule names what is not there. */
  #transactions({ put, removed }: LedgerChanges) {
    for (const provider of put) this.#index.put(provider);
    for (const provider of removed) this.#index.remove(provider);
    for (const provider of [...put, ...removed])
      if (this.#rules.concerns(provider)) this.#dirty.add(provider.interface);
    const left = new Set(this.#dirty);
    this.#dirty.clear();
    return inBatches(put).map(({ providers, complete }, index, { length }) => {
      const isLast = index === length - 1;
      const names = isLast ? [...left] : complete.filter((name) => left.delete(name));
      const changes = this.#rules.changesFor(new Map(names.map((name) => [name, this.#index.providersOf(name)])));
      const gone = isLast && this.#whole ? [...changes.removed, ...this.#rules.leftOver()] : changes.removed;
      return { providers, removed: isLast ? removed : [], policies: { put: changes.put, removed: [...new Set(gone)] } };
    });
  }

  async #apply(changes: LedgerChanges): Promise<void> {
    const all = this.#transactions(changes);
    if (all.every(({ providers, removed, policies }) => providers.length + removed.length + policies.put.length + policies.removed.length === 0)) return; // prettier-ignore
    const { store, name } = this.#options;
    const instancesOf = (providers: readonly Provider[]) =>
      providers.flatMap((provider) => mirroredInstance(provider, name) ?? []);
    await inSpan("registry.mirror", { "fairlead.registry": name }, async () => {
      for (const { providers, removed, policies } of all) {
        // Another process may own the registry by now.
        if (this.#stopped) return;
        const found = instancesOf(providers);
        const nodes = new Map<string, MeshNode>(found.map(({ node }) => [node.id, node]));
        const instances = found.map(({ instance }) => instance);
        const { result } = await store.write(currentTraceparent(), async (tx) => {
          const left = instances.length === 0 ? [] : await tx.putMirrored([...nodes.values()], instances);
          for (const policy of policies.put) await tx.putPolicy(policy);
          for (const policy of policies.removed) await tx.removePolicy(policy);
          if (removed.length > 0) await tx.removeMirrored(instancesOf(removed).map(({ instance }) => instance));
          return left;
        });
        this.#noteLeftOut(result, instances);
        this.#rules.wrote(policies);
      }
    });
  }
}
