import { computation, type Reading } from "@fairlead/incremental";
import { maxMeshRouteBytes, maxRouteBytes, routeBytes } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import type { PlannedRoute, RejectedObject } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { closedRoute } from "./delegates.ts";
import { all } from "./facts.ts";
import { missingTarget } from "./missing-destination.ts";
import { allInterfaces } from "./services.ts";
import { virtualService, virtualServicesInForce } from "./virtual-services.ts";

/** About what the routes of a policy take, by its key. */
export type RouteVolume = ReadonlyMap<string, number>;

/** @returns the largest policies, without which the rest is within the limit */
export function largestBeyond(volume: RouteVolume, maxBytes: number): readonly string[] {
  let total = [...volume.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (total <= maxBytes) return [];
  const largest = [...volume].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  const beyond: string[] = [];
  for (const [key, bytes] of largest) {
    if (total <= maxBytes) break;
    beyond.push(key);
    total -= bytes;
  }
  return beyond;
}

/** Of one host. Key: that of the policy. */
const bytesOfHost = computation("bytes of a VirtualService", (reading, key): number => {
  const { use } = reading.get(virtualService, key);
  return use === undefined ? 0 : routeBytes(1, use.http);
});

/** Key: the name in lower case. */
const volumeOfName = computation("route volume of a name", (reading, name): readonly (readonly [string, number])[] =>
  reading.get(virtualServicesInForce, name).map((key) => [key, reading.get(bytesOfHost, key)]),
);

interface RouteBudget extends Contribution {
  /** The policies that are too large. */
  readonly closed: ReadonlySet<string>;
}

/**
 * Each text has its own limit; that many of one host, or a wildcard over many hosts, do not stall the compiler is seen to here, before
 * anything is rendered. Key: all.
 */
export const routeBudget = contribution<RouteBudget>(
  "route budget",
  () => ({ kind: "service", key: "everything" }),
  (reading) => {
    const closed = new Map<string, string>();
    const total = new Map<string, number>();
    for (const name of reading.get(allInterfaces, all)) {
      const volume = new Map(reading.get(volumeOfName, name));
      for (const key of largestBeyond(volume, maxRouteBytes)) {
        closed.set(key, `the routes of ${name} would take more than ${mebibytes(maxRouteBytes)}`);
        volume.delete(key);
      }
      for (const [key, bytes] of volume) total.set(key, bytes + (total.get(key) ?? 0));
    }
    for (const key of closed.keys()) total.delete(key);
    for (const key of largestBeyond(total, maxMeshRouteBytes))
      closed.set(key, `the routes of all hosts would take more than ${mebibytes(maxMeshRouteBytes)}`);
    return {
      closed: new Set(closed.keys()),
      rejected: [...closed].flatMap(([key, why]) => tooLarge(reading, key, why)),
    };
  },
  () => ({ closed: new Set() }),
);

/** Key: that of the policy. */
export const isTooLarge = computation("too large", (reading, key): boolean =>
  reading.get(routeBudget, all).closed.has(key),
);

function mebibytes(bytes: number): string {
  return `${bytes / 1024 / 1024} MiB`;
}

/** The rejection of a VirtualService that is among the largest. */
function tooLarge(reading: Reading, key: string, why: string): RejectedObject[] {
  const { use } = reading.get(virtualService, key);
  if (use === undefined) return [];
  const message = `${key}: ${why}, and this policy is among the largest of them; its calls get 503`;
  return [{ provenance: use.provenance, code: "FL_POLICY_TOO_LARGE", message }];
}

/** As `routeBudget`, of what a gateway has of each policy. */
export function gatewayBudget(reading: Reading, volume: RouteVolume) {
  const closed = largestBeyond(volume, maxMeshRouteBytes);
  const why = `the routes of its gateways would take more than ${mebibytes(maxMeshRouteBytes)}`;
  return { closed: new Set(closed), rejected: closed.flatMap((key) => tooLarge(reading, key, why)) };
}

/** In the place of a policy's routes: its calls are for nobody. */
export function closedRoutes(provenance: ProvenanceEntry): PlannedRoute[] {
  const destinations = [{ ...missingTarget, weight: 100, headers: undefined }];
  return [{ route: closedRoute({ name: "too-large", match: [] }), destinations, mirrors: [], provenance }];
}
