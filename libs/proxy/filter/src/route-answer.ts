import type { RouteEntry } from "@fairlead/proxy-router";
import type { RequestHead } from "@fairlead/proxy-stream";
import type { HttpStats } from "./http-stats.ts";
import type { LocalReply } from "./local-reply.ts";

/**
 * What a route says itself.
 *
 * @returns undefined when it forwards
 * @throws MatchTooLong
 */
export function routeAnswer(
  route: RouteEntry | undefined,
  head: RequestHead,
  stats: HttpStats,
): LocalReply | undefined {
  if (route === undefined) {
    stats.no_route++;
    return { status: 404, body: "", details: "route_not_found", flag: "NR" };
  }
  const { action } = route;
  if (action.kind === "forward") return undefined;
  if (action.kind === "direct") {
    stats.rq_direct_response++;
    return { status: action.status, body: action.body, bytes: action.bytes, details: "direct_response" };
  }
  stats.rq_redirect++;
  const headers = ["location", route.redirectLocation(head)];
  return { status: action.status, body: "", details: "direct_response", headers };
}
