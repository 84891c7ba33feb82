import type { Reading } from "@fairlead/incremental";
import { outboundClusterName } from "../names.ts";
import type { PlannedRoute, PlannedTarget } from "../service-plan.ts";
import type { Viewer } from "../viewer.ts";
import { clusterKeys } from "./cluster-keys.ts";
import { all } from "./facts.ts";
import { missingKeys, missingTarget } from "./missing-destination.ts";

/** The keys of the cluster that a target is, and of its endpoints. */
export function targetKeys(reading: Reading, { service, subset }: PlannedTarget, viewer: Viewer): readonly string[] {
  if (service === missingTarget.service) return reading.get(missingKeys, all);
  return clusterKeys(reading, service, viewer).get(outboundClusterName(service, subset)) ?? [];
}

/** The keys of all that a route leads to. */
export function routeKeys(reading: Reading, { destinations, mirrors }: PlannedRoute, viewer: Viewer): string[] {
  return [...destinations, ...mirrors].flatMap((target) => targetKeys(reading, target, viewer));
}

/** The clusters that a route leads to. */
export function routeClusters({ destinations, mirrors }: PlannedRoute): string[] {
  return [...destinations, ...mirrors].map(({ service, subset }) => outboundClusterName(service, subset));
}
