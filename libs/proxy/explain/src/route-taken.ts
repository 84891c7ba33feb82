import { fromBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { FairleadError } from "@fairlead/errors";
import { canonicalPath, type RouteEntry, type RouteTable } from "@fairlead/proxy-router";
import { readRouteConfiguration } from "@fairlead/proxy-runtime/route-configuration";
import { HeaderMap } from "@fairlead/proxy-stream";

/** A request as an application would send it to its proxy. */
export interface RequestToExplain {
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly authority: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What a proxy does with a request, as far as its routes say. */
export type RouteTaken =
  /** The proxy answers itself, as no route, or not one, is for it. */
  | { readonly kind: "none"; readonly status: number; readonly reason: string }
  | ({ readonly kind: "route" } & TakenRoute);

interface TakenRoute {
  readonly virtualHost: string;
  /** Empty for one without a name. */
  readonly route: string;
  /** `prefix /`, `path /cart`; headers and the like are in the route's own JSON. */
  readonly matchedBy: string;
  /** A redirect and a direct response are answered by the proxy itself. */
  readonly action:
    | {
        readonly kind: "forward";
        /** 0 = none. */
        readonly timeoutMs: number;
        readonly clusters: readonly { readonly name: string; readonly weight: number }[];
        /** As the application behind gets them. */
        readonly sent: { readonly authority: string; readonly path: string };
      }
    | { readonly kind: "redirect"; readonly status: number; readonly location: string }
    | { readonly kind: "direct"; readonly status: number };
}

/**
 * Finds the route of a request as the proxy does: its translation of the routes, its canonical paths, its matcher.
 *
 * @param routes an encoded RouteConfiguration
 * @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID for routes that the proxy would refuse
 */
export function routeTaken(routes: Uint8Array, request: RequestToExplain): RouteTaken {
  const table = readRouteConfiguration(fromBinary(RouteConfigurationSchema, routes));
  // As the compiler's listeners have it.
  const path = canonicalPath(request.path, { mergeSlashes: true, escapedSlashes: "keep" });
  if (path === undefined)
    return { kind: "none", status: 400, reason: "the path cannot be trusted: a broken escape, or above the root" };
  const head = {
    method: request.method,
    path,
    authority: request.authority,
    scheme: "http" as const,
    headers: new HeaderMap(request.headers.flat()),
  };
  const entry = findEntry(table, head);
  if (entry instanceof FairleadError) return { kind: "none", status: 400, reason: entry.message };
  if (entry === undefined) return { kind: "none", status: 404, reason: "no route is for it" };
  return { kind: "route", ...taken(entry, head) };
}

type Head = Parameters<RouteTable["find"]>[0];

function findEntry(table: RouteTable, head: Head): RouteEntry | FairleadError | undefined {
  try {
    return table.find(head);
  } catch (caught) {
    // A pattern's bound was reached: the proxy refuses such a request.
    return FairleadError.from(caught);
  }
}

function taken(entry: RouteEntry, head: Head): TakenRoute {
  const { name: route, virtualHost, matchedBy, action } = entry;
  const described = { virtualHost, route, matchedBy };
  if (action.kind === "redirect") {
    return {
      ...described,
      action: { kind: "redirect", status: action.status, location: entry.redirectLocation(head) },
    };
  }
  if (action.kind === "direct") return { ...described, action: { kind: "direct", status: action.status } };
  const clusters = action.clusters.filter(({ weight }) => weight > 0);
  // Weighted clusters may change it each in their own way: shown is what the first one gets.
  const [first] = clusters;
  if (first !== undefined) entry.changeRequest(head, first);
  return {
    ...described,
    action: {
      kind: "forward",
      timeoutMs: action.timeoutMs,
      clusters: clusters.map(({ name, weight }) => ({ name, weight })),
      sent: { authority: head.authority, path: head.path },
    },
  };
}
