import { computation, type Reading } from "@fairlead/incremental";
import { type Callee, calleeKey } from "../callee.ts";
import { resourceKey, subsetOfCluster } from "../names.ts";
import { narrowed, type Viewer, viewerId } from "../viewer.ts";
import { callersKey, callersOf, clusterNames, isEdsBacked, planKey } from "./clusters.ts";
import { questionsOfRules } from "./destination-rules.ts";
import { endpoints, endpointsKey, viewerOfEndpoints } from "./endpoints.ts";
import { calleeOf } from "./services.ts";

/** The keys of the resources of a service's clusters, by the cluster's name. Key: the callee's, as one viewer has them. */
const keysOf = computation("cluster keys", (reading, key): ReadonlyMap<string, readonly string[]> => {
  const { callee, viewer } = callersOf(key);
  const service = reading.get(calleeOf, callee);
  if (service === undefined) return new Map();
  const byEds = reading.get(isEdsBacked, callee);
  const plan = planKey(reading, service, viewer);
  return new Map(
    reading.get(clusterNames, plan).map((name) => {
      const cluster = resourceKey("cds", viewerId(callersOf(plan).viewer), name);
      if (!byEds) return [name, [cluster]];
      const assignment = endpointsKey(reading, service, subsetOfCluster(name), viewer);
      reading.hold(endpoints, assignment);
      return [name, [cluster, resourceKey("eds", viewerOfEndpoints(assignment), name)]];
    }),
  );
});

/** @returns the keys of the resources of a service's clusters for that viewer, by the cluster's name */
export function clusterKeys(reading: Reading, callee: Callee, viewer: Viewer): ReadonlyMap<string, readonly string[]> {
  const { who, where } = reading.get(questionsOfRules, callee.interface.toLowerCase());
  return reading.get(keysOf, callersKey(calleeKey(callee), narrowed(viewer, new Set([...who, ...where]))));
}
