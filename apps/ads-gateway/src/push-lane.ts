import { typeUrls } from "@fairlead/envoy-api";
import type { TouchedNames } from "@fairlead/snapshot";

/**
 * Changes are debounced by lane: an instance that comes or goes does not wait for a storm of routes.
 *
 * - `endpoints`: nothing but endpoints changed for the stream. They refer to nothing, so they may overtake all else.
 * - `configuration`: everything else, endpoints of the same commit included.
 */
export type PushLane = "endpoints" | "configuration";

export const pushLanes: readonly PushLane[] = ["endpoints", "configuration"];

/** @param touched what one commit changed for one stream */
export function laneOf(touched: TouchedNames): PushLane {
  return touched.size === 1 && touched.has(typeUrls.endpoint) ? "endpoints" : "configuration";
}
