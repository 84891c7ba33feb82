/** What a host says of itself in the namespace `envoy.lb`, as JSON. */
export type HostMetadata = Readonly<Record<string, unknown>>;

/** The metadata that a request wants of its host: names, and values as canonical JSON (`canonicalJson`). */
export type MetadataMatch = ReadonlyMap<string, string>;

/** `none`: no host. `any`: all hosts of the cluster. `default`: those of the default subset. */
export type SubsetFallback = "none" | "any" | "default";

/** Names of metadata: hosts that agree in all their values are a subset. */
export interface SubsetSelector {
  /** Sorted; each once. */
  readonly keys: readonly string[];
  /** When no host has the values. `keys`: looks again with only the names of `fallbackKeys`. @default what the cluster says */
  readonly fallback: SubsetFallback | "keys" | undefined;
  readonly fallbackKeys: readonly string[];
  /** Of hosts with the same value only one is used. @default false */
  readonly singleHost: boolean;
}

/** How a cluster's hosts are divided by their metadata (Envoy's `lb_subset_config`). */
export interface SubsetConfig {
  /** For requests that want nothing, or what no subset has. @default "none" */
  readonly fallback: SubsetFallback;
  readonly defaultSubset: MetadataMatch;
  readonly selectors: readonly SubsetSelector[];
  /** Localities keep their weights within a subset. @default false: hosts of a subset are balanced without regard to theirs */
  readonly localityWeightAware: boolean;
  /** With `localityWeightAware`: a locality counts by the share of its hosts that are in the subset. @default false */
  readonly scaleLocalityWeight: boolean;
  /** When what is fallen back to has no host: any host of the cluster. @default false */
  readonly panicModeAny: boolean;
  /** A host whose value is a list has each of its elements. @default false */
  readonly listAsAny: boolean;
}

/** Equal values have equal texts, whatever the order of their names. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonicalJson(one)}`).join(",")}}`;
}
