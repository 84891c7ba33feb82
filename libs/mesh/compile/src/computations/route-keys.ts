import type { Reading } from "@fairlead/incremental";
import { calleeKey } from "../callee.ts";
import { outboundClusterName } from "../names.ts";
import type { PlannedRoute, PlannedTarget } from "../service-plan.ts";
import { clusterKeys } from "./clusters.ts";

/** The keys of the cluster that a target is, and of its endpoints. */
export function targetKeys(reading: Reading, { service, subset }: PlannedTarget): readonly string[] {
  return reading.get(clusterKeys, calleeKey(service)).get(outboundClusterName(service, subset)) ?? [];
}

/** The keys of all that a route leads to. */
export function routeKeys(reading: Reading, { destinations, mirrors }: PlannedRoute): string[] {
  return [...destinations, ...mirrors].flatMap((target) => targetKeys(reading, target));
}
