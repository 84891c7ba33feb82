import type { VirtualHost } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";

/** The clusters that the routes of a virtual host lead to, or send a copy to; each once. */
export function namedClusters({ routes }: VirtualHost): string[] {
  const names = routes.flatMap(({ action }) => {
    if (action.case !== "route") return [];
    const { clusterSpecifier, requestMirrorPolicies } = action.value;
    const mirrors = requestMirrorPolicies.map(({ cluster }) => cluster);
    if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value, ...mirrors];
    if (clusterSpecifier.case !== "weightedClusters") return mirrors;
    return [...clusterSpecifier.value.clusters.map(({ name }) => name), ...mirrors];
  });
  return [...new Set(names)];
}
