import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { HostChoice } from "./host-choice.ts";
import { type HostEntry, HostSet, type HostSetContext } from "./host-set.ts";
import type { Host } from "./host.ts";
import { canonicalJson, type MetadataMatch, type SubsetConfig, type SubsetSelector } from "./subset-config.ts";

/** Lists multiply with `listAsAny`: a host is in no more subsets of one selector. */
const MAX_SUBSETS_OF_HOST = 1000;

/** The hosts that agree in the values of a selector's names. */
interface Subset {
  readonly entries: HostEntry[];
  /** Made when it is first chosen from: of many subsets few are called. */
  hosts: HostSet | undefined;
}

/**
 * The hosts of a cluster, divided by their metadata. A request that wants metadata gets a host of the subset that has exactly
 * these names; else what the selector of the names, or the cluster, falls back to.
 */
export class SubsetHosts {
  readonly #subsets: SubsetConfig;
  readonly #config: ClusterConfig;
  readonly #context: HostSetContext;
  readonly #stats: ClusterStats;
  readonly #all: HostSet;
  readonly #selectors = new Map<string, SubsetSelector>();
  readonly #bySelector = new Map<SubsetSelector, Map<string, Subset>>();
  readonly #default: Subset;

  /** @param all the cluster's hosts, undivided */
  constructor(
    all: HostSet,
    config: ClusterConfig,
    subsets: SubsetConfig,
    stats: ClusterStats,
    context: HostSetContext,
  ) {
    this.#subsets = subsets;
    this.#all = all;
    this.#stats = stats;
    this.#context = context;
    this.#config = subsets.localityWeightAware ? config : { ...config, localityWeighted: false };
    stats.lb_subsets_single_host_per_subset_duplicate = 0;
    for (const selector of subsets.selectors) {
      this.#selectors.set(selector.keys.join("\0"), selector);
      this.#bySelector.set(selector, this.#divide(selector));
    }
    this.#default = {
      entries: all.entries.filter((entry) => this.#has(entry, subsets.defaultSubset)),
      hosts: undefined,
    };
  }

  /** The subsets that have a host, each by a name that tells it from the others. */
  names(): Set<string> {
    const names = new Set<string>();
    for (const [{ keys }, found] of this.#bySelector)
      for (const values of found.keys()) names.add(`${keys.join("\0")}\0\0${values}`);
    return names;
  }

  pick(choice: HostChoice | undefined, wanted: MetadataMatch | undefined = choice?.subset): Host | undefined {
    if (wanted !== undefined && wanted.size > 0) {
      const selector = this.#selectors.get([...wanted.keys()].toSorted().join("\0"));
      if (selector !== undefined) {
        const subset = this.#bySelector.get(selector)?.get(valuesOf(selector, wanted));
        if (subset !== undefined) {
          this.#stats.lb_subsets_selected++;
          return this.#pickOf(subset, choice);
        }
        if (selector.fallback === "keys") {
          const fewer = new Map([...wanted].filter(([name]) => selector.fallbackKeys.includes(name)));
          return this.pick(choice, fewer);
        }
        if (selector.fallback !== undefined) return this.#fallBack(selector.fallback, choice);
      }
    }
    return this.#fallBack(this.#subsets.fallback, choice);
  }

  #fallBack(to: SubsetConfig["fallback"], choice: HostChoice | undefined): Host | undefined {
    const found = to === "any" ? this.#all.entries.length > 0 : to === "default" && this.#default.entries.length > 0;
    if (found) {
      this.#stats.lb_subsets_fallback++;
      return to === "any" ? this.#all.pick(choice) : this.#pickOf(this.#default, choice);
    }
    if (!this.#subsets.panicModeAny) return undefined;
    this.#stats.lb_subsets_fallback_panic++;
    return this.#all.pick(choice);
  }

  #pickOf(subset: Subset, choice: HostChoice | undefined): Host | undefined {
    subset.hosts ??= new HostSet(this.#scaled(subset.entries), this.#config, this.#context);
    if (subset.hosts.panic) this.#stats.lb_healthy_panic++;
    return subset.hosts.pick(choice);
  }

  /** A locality that has few of its hosts in the subset gets little of its load. */
  #scaled(entries: readonly HostEntry[]): readonly HostEntry[] {
    const { localityWeightAware, scaleLocalityWeight } = this.#subsets;
    if (!localityWeightAware || !scaleLocalityWeight) return entries;
    const countOf = (of: readonly HostEntry[], entry: HostEntry): number =>
      of.filter(({ host, locality }) => locality === entry.locality && host.priority === entry.host.priority).length;
    return entries.map((entry) => ({
      ...entry,
      localityWeight: (entry.localityWeight * countOf(entries, entry)) / countOf(this.#all.entries, entry),
    }));
  }

  #divide(selector: SubsetSelector): Map<string, Subset> {
    const found = new Map<string, Subset>();
    for (const entry of this.#all.entries) {
      for (const values of this.#valuesOfHost(entry, selector.keys)) {
        const subset = found.get(values) ?? { entries: [], hosts: undefined };
        found.set(values, subset);
        if (selector.singleHost && subset.entries.length > 0) {
          this.#stats.lb_subsets_single_host_per_subset_duplicate++;
        } else subset.entries.push(entry);
      }
    }
    return found;
  }

  /** The values that a host has of the names; several with `listAsAny`, none when it lacks a name. */
  #valuesOfHost({ host }: HostEntry, keys: readonly string[]): readonly string[] {
    let combinations: readonly (readonly string[])[] = [[]];
    for (const key of keys) {
      const values = this.#textsOf(host.metadata[key]);
      combinations = combinations
        .flatMap((before) => values.map((value) => [...before, value]))
        .slice(0, MAX_SUBSETS_OF_HOST);
    }
    return combinations.map((values) => values.join("\0"));
  }

  #textsOf(value: unknown): readonly string[] {
    if (value === undefined) return [];
    if (this.#subsets.listAsAny && Array.isArray(value)) return [...new Set(value.map((one) => canonicalJson(one)))];
    return [canonicalJson(value)];
  }

  #has({ host }: HostEntry, wanted: MetadataMatch): boolean {
    for (const [name, value] of wanted) if (!this.#textsOf(host.metadata[name]).includes(value)) return false;
    return true;
  }
}

function valuesOf({ keys }: SubsetSelector, wanted: MetadataMatch): string {
  return keys.map((key) => wanted.get(key)).join("\0");
}
