import type { LocalityLbEndpoints } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { LocalityLbSetting } from "@fairlead/policy";
import { compareText } from "./compare-text.ts";
import type { EffectivePolicy } from "./effective-policy.ts";
import { byLocality, type LocatedEndpoint, localityEndpoints } from "./locality-endpoints.ts";
import { localityQuestions, type Question, type Sight, valueQuestions } from "./viewer.ts";

/** What a setting asks of where a caller is. */
export function placeQuestions(setting: LocalityLbSetting | undefined): readonly Question[] {
  if (setting === undefined || setting.enabled === false) return [];
  if (setting.failoverPriority === undefined) return localityQuestions;
  return valueQuestions(setting.failoverPriority.filter((label) => !label.includes("=")));
}

/**
 * The setting that is followed. Without outlier detection nobody would notice that the first localities fail, so that the others would
 * never get a call: then only shares are, as in Istio.
 */
export function localitySetting({ loadBalancer, outlierDetection }: EffectivePolicy): LocalityLbSetting | undefined {
  const setting = loadBalancer?.localityLbSetting;
  if (setting === undefined || setting.enabled === false) return undefined;
  return setting.distribute !== undefined || outlierDetection !== undefined ? setting : undefined;
}

function partsOf(locality: string): string[] {
  return locality === "" ? [] : locality.split("/");
}

/** `r/z` and `r/z/*` are all that is in the zone. */
function isIn(locality: string, pattern: string): boolean {
  const parts = partsOf(locality);
  return partsOf(pattern).every((wanted, index) => wanted === "*" || wanted === parts[index]);
}

/** How much of what is `weight` of `total` is in a share of a hundred; nobody gets nothing. */
function portion(share: number, weight: number, total: number): number {
  return Math.max(1, Math.ceil((share * weight) / total));
}

/** Shares of the calls; undefined where nothing is said of the caller's locality. */
function distributed(
  endpoints: readonly LocatedEndpoint[],
  setting: LocalityLbSetting,
  own: string,
): LocalityLbEndpoints[] | undefined {
  const rule = own === "" ? undefined : setting.distribute?.find(({ from }) => isIn(own, from));
  if (rule === undefined) return undefined;
  const rest = new Map(
    [...Map.groupBy(endpoints, ({ locality }) => locality)].toSorted(([a], [b]) => compareText(a, b)),
  );
  const weightOf = (members: readonly LocatedEndpoint[]) => members.reduce((sum, { weight }) => sum + weight, 0);
  // A locality that two patterns meet is of the narrower one.
  const patterns = Object.entries(rule.to).toSorted(
    ([a], [b]) => partsOf(b).filter((one) => one !== "*").length - partsOf(a).filter((one) => one !== "*").length,
  );
  return patterns.flatMap(([pattern, share]) => {
    const here = [...rest].filter(([locality]) => isIn(locality, pattern));
    const total = here.reduce((sum, [, members]) => sum + weightOf(members), 0);
    for (const [locality] of here) rest.delete(locality);
    return here.map(([locality, members]) =>
      localityEndpoints(members, locality, portion(share, weightOf(members), total)),
    );
  });
}

/** How many parts of two localities are the same, from the left: 3 in one subzone, 0 in two regions. */
function common(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  let count = 0;
  // Istio has three parts, empty where they are not known: two that do not know their subzone are in the same one.
  while (count < 3 && (a[count] ?? "") === (b[count] ?? "")) count += 1;
  return count;
}

/** 0 for the same subzone, 1 zone, 2 region, 3 another region; 4 where another region is to be preferred. */
function regionRank({ failover = [] }: LocalityLbSetting, own: string, { locality }: LocatedEndpoint): number {
  const near = common(own, locality);
  if (near > 0) return 3 - near;
  const preferred = failover.find(({ from }) => from === partsOf(own)[0])?.to;
  return preferred === undefined || preferred === partsOf(locality)[0] ? 3 : 4;
}

const regionLabel = "topology.kubernetes.io/region";
const zoneLabel = "topology.kubernetes.io/zone";
const subzoneLabel = "topology.istio.io/subzone";

function labelOf({ labels = {}, locality }: LocatedEndpoint, name: string): string | undefined {
  const part = [regionLabel, zoneLabel, subzoneLabel].indexOf(name);
  return labels[name] ?? (part === -1 ? undefined : partsOf(locality)[part]);
}

/** How many of the labels are left from the first on that is not as the caller's. */
function labelRank(labels: readonly string[], sight: Sight, endpoint: LocatedEndpoint): number {
  const other = labels.findIndex((label) => {
    const [name = "", given] = label.split("=", 2);
    return (labelOf(endpoint, name) ?? "") !== (given ?? sight.valueOf(name) ?? "");
  });
  return other === -1 ? 0 : labels.length - other;
}

/** By locality and priority; priorities are without gaps from 0 on, as proxies want them. */
function prioritized(
  endpoints: readonly LocatedEndpoint[],
  rankOf: (endpoint: LocatedEndpoint) => number,
): LocalityLbEndpoints[] {
  const byRank = [...Map.groupBy(endpoints, rankOf)].toSorted(([a], [b]) => a - b);
  return byRank.flatMap(([, members], priority) => byLocality(members, priority));
}

/** The endpoints as one caller tries them. */
export function endpointsFor(
  endpoints: readonly LocatedEndpoint[],
  setting: LocalityLbSetting | undefined,
  sight: Sight,
): LocalityLbEndpoints[] {
  if (setting === undefined) return byLocality(endpoints);
  const { failoverPriority } = setting;
  if (failoverPriority !== undefined)
    return prioritized(endpoints, (endpoint) => labelRank(failoverPriority, sight, endpoint));
  if (setting.distribute !== undefined) return distributed(endpoints, setting, sight.locality) ?? byLocality(endpoints);
  if (sight.locality === "") return byLocality(endpoints);
  return prioritized(endpoints, (endpoint) => regionRank(setting, sight.locality, endpoint));
}
