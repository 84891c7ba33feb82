import { create } from "@bufbuild/protobuf";
import {
  NonForwardingActionSchema,
  type Route,
  RouteSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { Headers, HttpMatch } from "@fairlead/policy";
import type { Audience } from "./audience.ts";
import { forwardAction } from "./forward-action.ts";
import { headerChanges } from "./header-changes.ts";
import type { RouteToRender } from "./planned-route.ts";
import { directResponseAction, redirectAction } from "./redirect-action.ts";
import { routeFilters } from "./route-filters.ts";
import { routeMatch } from "./route-match.ts";

export interface RouteReader {
  readonly audience: Audience;
  /** Whether callers come over TLS. @default false */
  readonly tls?: boolean;
}

function routeAction(planned: RouteToRender, match: HttpMatch | undefined, reader: RouteReader): Route["action"] {
  const { redirect, directResponse, route } = planned.route;
  // A gRPC client cannot answer itself or go elsewhere: the call fails, as it would on an answer that is not gRPC.
  if (reader.audience === "grpcClients" && route === undefined)
    return { case: "nonForwardingAction", value: create(NonForwardingActionSchema) };
  if (redirect !== undefined) return { case: "redirect", value: redirectAction(redirect, reader.tls ?? false) };
  if (directResponse !== undefined) return { case: "directResponse", value: directResponseAction(directResponse) };
  return { case: "route", value: forwardAction(planned, match, reader.audience) };
}

/** The route's changes and, where it has one destination only, that one's: a proxy makes the inner ones first. */
function changesOf({ route, destinations }: RouteToRender) {
  const all: (Headers | undefined)[] =
    destinations.length === 1 ? [destinations[0]!.headers, route.headers] : [route.headers];
  const [first, second] = all.map((headers) => headerChanges(headers));
  if (second === undefined) return first!;
  return {
    requestHeadersToAdd: [...first!.requestHeadersToAdd, ...second.requestHeadersToAdd],
    requestHeadersToRemove: [...first!.requestHeadersToRemove, ...second.requestHeadersToRemove],
    responseHeadersToAdd: [...first!.responseHeadersToAdd, ...second.responseHeadersToAdd],
    responseHeadersToRemove: [...first!.responseHeadersToRemove, ...second.responseHeadersToRemove],
  };
}

/** One route for each match of a policy's route: they are alternatives. */
export function policyRoutes(planned: RouteToRender, reader: RouteReader): Route[] {
  const { route } = planned;
  const matches: readonly (HttpMatch | undefined)[] = route.match.length === 0 ? [undefined] : route.match;
  return matches.map((match) =>
    create(RouteSchema, {
      name: [route.name, match?.name].filter((part) => part !== undefined).join("."),
      match: routeMatch(match),
      action: routeAction(planned, match, reader),
      ...changesOf(planned),
      typedPerFilterConfig: routeFilters(route, reader.audience),
      ...(match?.statPrefix === undefined ? {} : { statPrefix: match.statPrefix }),
    }),
  );
}
