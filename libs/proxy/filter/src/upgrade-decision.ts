import type { RouteEntry } from "@fairlead/proxy-router";

/**
 * `take`: the stream becomes what the client wants. `leave`: nobody has said anything about it, and it is a request like others.
 * `refuse`: it is not allowed.
 */
export type UpgradeDecision = "take" | "leave" | "refuse";

/**
 * The route's word comes before the listener's.
 *
 * @param ofListener whether each kind is allowed
 * @param optional the client would go on without it (HTTP/1.1's Upgrade), which CONNECT cannot
 */
export function decideUpgrade(
  upgrade: string,
  route: RouteEntry | undefined,
  ofListener: ReadonlyMap<string, boolean> | undefined,
  optional: boolean,
): UpgradeDecision {
  const action = route?.action;
  const allowed = (action?.kind === "forward" ? action.upgrades?.get(upgrade) : undefined) ?? ofListener?.get(upgrade);
  if (allowed === undefined) return optional ? "leave" : "refuse";
  return allowed ? "take" : "refuse";
}
