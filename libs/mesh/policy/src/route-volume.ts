import type { z } from "zod";
import type { httpRoute } from "./http-route.ts";

/** What a route takes while it is made, beside what its policy says. */
export const bytesOfRoute = 2048;

/** A route configuration has to fit into a message to a proxy, with those of other policies. */
export const maxRouteBytes = 32 * 1024 * 1024;

/** Of the routes of all hosts together, and of those of a gateway: what a compile makes in some seconds. */
export const maxMeshRouteBytes = 256 * 1024 * 1024;

/**
 * About how many bytes of configuration the routes become: each is there once for each of its matches, and all of them once for each host. So a
 * file of a megabyte can ask for gigabytes.
 */
export function routeBytes(hosts: number, routes: readonly z.output<typeof httpRoute>[]): number {
  const ofOneHost = routes.reduce((sum, { match, ...rest }) => {
    const copies = Math.max(1, match.length);
    return sum + copies * (bytesOfRoute + sizeOf(rest)) + sizeOf(match);
  }, 0);
  return Math.max(1, hosts) * ofOneHost;
}

function sizeOf(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, inner]) => sum + key.length + sizeOf(inner), 0);
}
