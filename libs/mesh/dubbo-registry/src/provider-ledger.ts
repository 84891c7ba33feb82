import type { Provider } from "./provider.ts";

/** What one provider is, wherever it was read: two entries of it are one endpoint. */
export function providerKey({ protocol, address, port, interface: name, group, version }: Provider): string {
  return [protocol, address, String(port), name, group, version].join("|");
}

export interface LedgerOptions {
  /** From the registry's word that a provider is gone to its removal: a provider that restarts comes back meanwhile. Milliseconds. @default 3000 */
  readonly removalDelayMs?: number;
  /**
   * How long providers are kept that were missing when everything was read again after a lost connection, where more than half of all
   * were: then it is the registry that has lost them, and they will register again. Milliseconds. @default 120000
   */
  readonly lossHoldMs?: number;
}

/** What is to be done in the mesh. */
export interface LedgerChanges {
  /** New, or with other facts than before. */
  readonly put: readonly Provider[];
  readonly removed: readonly Provider[];
}

/** Something is registered that has not said yet what it serves: its providers are at this address, and at these ports where they are known. */
export interface AskedEndpoint {
  readonly address: string;
  readonly ports: readonly number[];
}

interface Entry {
  /** By where it was read: an interface's folder, an application's instance. */
  readonly sources: Map<string, Provider>;
  /** What the mesh was told last; undefined until `take`. */
  told: Provider | undefined;
  /** Whether the mesh surely has it as it was told. */
  sure: boolean;
  /** When it is to be removed; `Infinity` while it is there. */
  removeAtMs: number;
  /** Sources that may still say that it is there; undefined for most. */
  waitsFor: Set<string> | undefined;
}

/**
 * The providers of one registry, between what it says and what the mesh is told: what appears is told at once, what disappears after a
 * while, and what disappears with most others at once after a long while.
 */
export class ProviderLedger {
  readonly #removalDelayMs: number;
  readonly #lossHoldMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Set<string>();
  /** Entries that wait for a source, by source. */
  readonly #kept = new Map<string, string[]>();

  constructor({ removalDelayMs = 3_000, lossHoldMs = 120_000 }: LedgerOptions = {}) {
    this.#removalDelayMs = removalDelayMs;
    this.#lossHoldMs = lossHoldMs;
  }

  /** Providers that are there, or are kept although they are not. */
  get size(): number {
    return this.#entries.size;
  }

  /** What the mesh was told before this ledger began: it is kept until a whole reading says otherwise. */
  restore(providers: Iterable<Provider>): void {
    for (const told of providers) this.#entries.set(providerKey(told), newEntry(told, true));
  }

  /** Something was read at `source`. */
  add(source: string, provider: Provider): void {
    const key = providerKey(provider);
    const entry = this.#entries.get(key) ?? newEntry(undefined, false);
    this.#entries.set(key, entry);
    entry.sources.set(source, provider);
    entry.removeAtMs = Infinity;
    this.#changed.add(key);
  }

  /**
   * The registry says that what was read at `source` is gone.
   *
   * @param atOnce it is there, and was told to take no calls: nobody waits for it to come back
   */
  remove(source: string, provider: Provider, nowMs: number, { atOnce = false } = {}): void {
    const key = providerKey(provider);
    const entry = this.#entries.get(key);
    if (entry === undefined || !entry.sources.delete(source)) return;
    if (entry.sources.size === 0) entry.removeAtMs = nowMs + (atOnce ? 0 : this.#removalDelayMs);
    this.#changed.add(key);
  }

  /**
   * Everything was read, at the beginning or after a lost connection: what is not in `sources` is gone.
   *
   * @param asked what is registered and has not said yet what it serves, by source: what the mesh has there stays until `settle`
   * @returns how many are missing, and whether they are taken for lost by the registry
   */
  readAll(
    sources: ReadonlyMap<string, readonly Provider[]>,
    nowMs: number,
    asked: ReadonlyMap<string, AskedEndpoint> = new Map(),
  ): { readonly missing: number; readonly held: boolean } {
    const before = this.#entries.size;
    this.#waitFor(asked);
    for (const entry of this.#entries.values()) entry.sources.clear();
    for (const [source, providers] of sources) for (const provider of providers) this.add(source, provider);
    const missing = [...this.#entries].filter(
      ([, { sources: left, waitsFor }]) => left.size + (waitsFor?.size ?? 0) === 0,
    );
    const held = missing.length * 2 > before;
    for (const [key, entry] of missing) {
      const removeAtMs = nowMs + (held ? this.#lossHoldMs : this.#removalDelayMs);
      entry.removeAtMs = Math.min(entry.removeAtMs, removeAtMs);
      this.#changed.add(key);
    }
    return { missing: missing.length, held };
  }

  /** A source that was asked has told what it serves, or is gone: what waited for it and is not at any source is gone. */
  settle(source: string, nowMs: number): void {
    for (const key of this.#kept.get(source) ?? []) {
      const entry = this.#entries.get(key);
      if (entry?.waitsFor?.delete(source) !== true) continue;
      if (entry.waitsFor.size + entry.sources.size > 0 || entry.removeAtMs !== Infinity) continue;
      entry.removeAtMs = nowMs + this.#removalDelayMs;
      this.#changed.add(key);
    }
    this.#kept.delete(source);
  }

  /** What nobody knows a source of, or a source that is asked anew, is what an asked one at its endpoint may serve. */
  #waitFor(asked: ReadonlyMap<string, AskedEndpoint>): void {
    this.#kept.clear();
    const at = new Map<string, string[]>();
    const put = (endpoint: string, source: string) => {
      const there = at.get(endpoint);
      if (there === undefined) at.set(endpoint, [source]);
      else there.push(source);
    };
    for (const [source, { address, ports }] of asked)
      for (const port of ports.length === 0 ? [""] : ports) put(`${address} ${port}`, source);
    for (const [key, entry] of this.#entries) {
      const { told, sources, removeAtMs } = entry;
      entry.waitsFor = undefined;
      const provider = told ?? firstOf(sources);
      if (provider === undefined || removeAtMs !== Infinity) continue;
      for (const port of [provider.port, ""])
        for (const source of at.get(`${provider.address} ${port}`) ?? []) {
          if (sources.size > 0 && !sources.has(source)) continue;
          entry.waitsFor ??= new Set();
          entry.waitsFor.add(source);
          const kept = this.#kept.get(source);
          if (kept === undefined) this.#kept.set(source, [key]);
          else kept.push(key);
        }
    }
  }

  /** What the mesh is to be told now; it counts as told. */
  take(nowMs: number): LedgerChanges {
    const put: Provider[] = [];
    const removed: Provider[] = [];
    for (const key of this.#changed) {
      const entry = this.#entries.get(key);
      if (entry === undefined) {
        this.#changed.delete(key);
      } else if (entry.removeAtMs <= nowMs) {
        this.#changed.delete(key);
        this.#entries.delete(key);
        if (entry.told !== undefined) removed.push(entry.told);
      } else if (entry.removeAtMs === Infinity) {
        this.#changed.delete(key);
        const wanted = firstOf(entry.sources);
        if (wanted === undefined || (entry.sure && sameFacts(entry.told, wanted))) continue;
        entry.told = wanted;
        entry.sure = true;
        put.push(wanted);
      }
      // What waits for its removal is looked at again.
    }
    return { put, removed };
  }

  /** When `take` has something to tell, if nothing else comes: 0 = now; on the clock of `nowMs`. */
  get nextMs(): number | undefined {
    let next: number | undefined;
    for (const key of this.#changed) {
      const removeAtMs = this.#entries.get(key)?.removeAtMs ?? Infinity;
      if (removeAtMs === Infinity) return 0;
      if (next === undefined || removeAtMs < next) next = removeAtMs;
    }
    return next;
  }

  /** What was told could not be done: it is told again. */
  retell({ put, removed }: LedgerChanges, nowMs: number): void {
    for (const provider of put) {
      const key = providerKey(provider);
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      entry.sure = false;
      this.#changed.add(key);
    }
    for (const provider of removed) {
      const key = providerKey(provider);
      const entry = this.#entries.get(key);
      if (entry === undefined) this.#entries.set(key, { ...newEntry(provider, false), removeAtMs: nowMs });
      else {
        entry.told ??= provider;
        entry.sure = false;
      }
      this.#changed.add(key);
    }
  }
}

function newEntry(told: Provider | undefined, sure: boolean): Entry {
  return { sources: new Map(), told, sure, removeAtMs: Infinity, waitsFor: undefined };
}

function firstOf(sources: ReadonlyMap<string, Provider>): Provider | undefined {
  // Two sources of one provider may differ in what they say of it: always the same one counts.
  const [first] = sources.size < 2 ? sources.keys() : [...sources.keys()].sort();
  return first === undefined ? undefined : sources.get(first);
}

function sameFacts(a: Provider | undefined, b: Provider): boolean {
  if (a === undefined) return false;
  if (a === b) return true;
  const facts = ({ parameters, ...rest }: Provider) =>
    JSON.stringify([rest, [...parameters].toSorted(([x], [y]) => (x < y ? -1 : 1))]);
  return facts(a) === facts(b);
}
