import type { JsonObject } from "@bufbuild/protobuf";
import {
  type Cluster_LbSubsetConfig,
  Cluster_LbSubsetConfig_LbSubsetFallbackPolicy as Fallback,
  Cluster_LbSubsetConfig_LbSubsetSelector_LbSubsetSelectorFallbackPolicy as SelectorFallback,
  Cluster_LbSubsetConfig_LbSubsetSelectorSchema,
  Cluster_LbSubsetConfigSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { type Metadata, MetadataSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { canonicalJson, type MetadataMatch, type SubsetConfig, type SubsetSelector } from "@fairlead/proxy-upstream";
import { refuseOthers, rejection } from "./rejection.ts";

/** What hosts are chosen by. */
export const LB_NAMESPACE = "envoy.lb";

const fallbacks: Readonly<Record<Fallback, SubsetConfig["fallback"]>> = {
  [Fallback.NO_FALLBACK]: "none",
  [Fallback.ANY_ENDPOINT]: "any",
  [Fallback.DEFAULT_SUBSET]: "default",
};

const selectorFallbacks: Readonly<Record<SelectorFallback, SubsetSelector["fallback"]>> = {
  [SelectorFallback.NOT_DEFINED]: undefined,
  [SelectorFallback.NO_FALLBACK]: "none",
  [SelectorFallback.ANY_ENDPOINT]: "any",
  [SelectorFallback.DEFAULT_SUBSET]: "default",
  [SelectorFallback.KEYS_SUBSET]: "keys",
};

/** @throws FairleadError FL_XDS_REJECTED */
export function readSubsets(message: Cluster_LbSubsetConfig | undefined): SubsetConfig | undefined {
  // Without a selector there is nothing to divide by, as in Envoy.
  if (message === undefined || message.subsetSelectors.length === 0) return undefined;
  const where = "lb_subset_config.";
  refuseOthers(Cluster_LbSubsetConfigSchema, message, where, [
    "fallback_policy",
    "default_subset",
    "subset_selectors",
    "locality_weight_aware",
    "scale_locality_weight",
    "panic_mode_any",
    "list_as_any",
  ]);
  return {
    fallback: fallbacks[message.fallbackPolicy],
    defaultSubset: matchOf(message.defaultSubset),
    selectors: message.subsetSelectors.map((selector, i): SubsetSelector => {
      const field = `${where}subset_selectors[${i}].`;
      refuseOthers(Cluster_LbSubsetConfig_LbSubsetSelectorSchema, selector, field, [
        "keys",
        "single_host_per_subset",
        "fallback_policy",
        "fallback_keys_subset",
      ]);
      const keys = [...new Set(selector.keys)].toSorted();
      if (keys.length === 0) throw rejection(`${field}keys`, "is empty");
      if (selector.singleHostPerSubset && keys.length > 1)
        throw rejection(`${field}single_host_per_subset`, "is for a selector of one key");
      const { fallbackPolicy, fallbackKeysSubset: fallbackKeys } = selector;
      if (fallbackPolicy === SelectorFallback.KEYS_SUBSET)
        checkFewer(keys, fallbackKeys, `${field}fallback_keys_subset`);
      return {
        keys,
        fallback: selectorFallbacks[fallbackPolicy],
        fallbackKeys,
        singleHost: selector.singleHostPerSubset,
      };
    }),
    localityWeightAware: message.localityWeightAware,
    scaleLocalityWeight: message.scaleLocalityWeight,
    panicModeAny: message.panicModeAny,
    listAsAny: message.listAsAny,
  };
}

/** Fewer of them, so that looking again comes to an end. */
function checkFewer(keys: readonly string[], fewer: readonly string[], field: string): void {
  if (fewer.length === 0) throw rejection(field, "is empty");
  if (fewer.some((key) => !keys.includes(key))) throw rejection(field, "has a key that is not among keys");
  if (new Set(fewer).size === keys.length) throw rejection(field, "is the same as keys");
}

/**
 * What a route wants of its host; of a weighted cluster over what its route says.
 *
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readMetadataMatch(
  message: Metadata | undefined,
  where: string,
  over?: MetadataMatch,
): MetadataMatch | undefined {
  if (message === undefined) return over;
  refuseOthers(MetadataSchema, message, `${where}.`, ["filter_metadata"]);
  const own = matchOf(message.filterMetadata[LB_NAMESPACE]);
  const merged = new Map([...(over ?? []), ...own]);
  return merged.size === 0 ? undefined : merged;
}

function matchOf(struct: JsonObject | undefined): MetadataMatch {
  return new Map(Object.entries(struct ?? {}).map(([name, value]) => [name, canonicalJson(value)]));
}
