import type { World } from "./proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "./resources.ts";

/** A listener "in" whose requests all go to the hosts of cluster "a". */
export function plainWorld(...ports: readonly number[]): World {
  return {
    clusters: [cluster("a")],
    endpoints: [endpoints("a", ports)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
}
