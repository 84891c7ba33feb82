/**
 * Fields that Istio's API has and Fairlead does not implement: a policy that uses one is refused with "is not implemented",
 * any other unknown field with "is not a field".
 */
const notImplemented = new Set([
  // VirtualService
  "gateways", "tls", "tcp", "exportTo", "delegate", "fault", "mirror", "mirrorPercent", "mirror_percent", "mirrorPercentage", "mirrors",
  "corsPolicy", "headers", "port", "sourceLabels", "sourceNamespace", "scheme", "statPrefix", "uriRegexRewrite", "derivePort",
  "backoff", "retryRemoteLocalities", "retryIgnorePreviousHosts", "bytes",
  // DestinationRule
  "connectionPool", "outlierDetection", "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget", "workloadSelector", "consistentHash",
  "localityLbSetting", "warmup", "warmupDurationSecs",
]); // prettier-ignore

/** Fields that are implemented somewhere, for "did you mean". */
const implemented = [
  "hosts", "http", "name", "match", "route", "destination", "host", "subset", "weight", "redirect", "directResponse", "timeout", "retries",
  "rewrite", "uri", "authority", "ignoreUriCase", "method", "headers", "withoutHeaders", "queryParams", "exact", "prefix", "regex", "attempts",
  "perTryTimeout", "retryOn", "status", "body", "string", "subsets", "labels", "trafficPolicy", "loadBalancer", "simple",
  "apiVersion", "kind", "metadata", "spec", "namespace", "annotations",
]; // prettier-ignore

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[right.length]!;
}

/** Why a field that no schema knows is refused. */
export function unknownFieldReason(field: string): string {
  if (notImplemented.has(field)) return "is not implemented";
  const short = field.slice(0, 64);
  const near = implemented.find(
    (known) => distance(short.toLowerCase(), known.toLowerCase()) <= (known.length > 4 ? 2 : 1),
  );
  return near === undefined || near === field ? "is not a field here" : `is not a field (did you mean ${near}?)`;
}
