import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  type Route as HttpRoute,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  type MethodMatch,
  MethodMatchSchema,
  type Route,
  type RouteConfiguration,
  RouteConfigurationSchema,
  RouteSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/dubbo_proxy/v3/route_pb.js";
import { outboundClusterName } from "./names.ts";
import { policyRoutes } from "./policy-route.ts";
import { identityName, type RpcIdentity } from "./rpc-identity.ts";
import type { HostPlan } from "./service-plan.ts";

/** No proxy has a cluster of this name: calls to it are refused in Dubbo's own form. */
export const refusedCluster = "fairlead_refused";

/** What dubbo_proxy has of a route, in Envoy's own routes for HTTP; undefined: it cannot tell such calls from others. */
interface DubboMatch {
  readonly method: MethodMatch;
  readonly headers: readonly HeaderMatcher[];
}

const exactly = (method: string): MethodMatch =>
  create(MethodMatchSchema, { name: { matchPattern: { case: "exact", value: method } } });

/** Envoy refuses a route that says nothing of the method. */
const anyMethod = (): MethodMatch =>
  create(MethodMatchSchema, { name: { matchPattern: { case: "safeRegex", value: { regex: ".*" } } } });

/** `/interface/method` is how a VirtualService names a call. */
function methodOfPath({ match }: HttpRoute, name: string): { readonly method?: MethodMatch } | undefined {
  const path = match?.pathSpecifier;
  const own = `/${name}/`;
  if (path?.case === "path" && path.value.startsWith(own)) return { method: exactly(path.value.slice(own.length)) };
  if (path?.case !== "prefix" || match?.caseSensitive === false) return undefined;
  if (own.startsWith(path.value)) return {};
  if (!path.value.startsWith(own)) return undefined;
  const value = path.value.slice(own.length);
  return { method: create(MethodMatchSchema, { name: { matchPattern: { case: "prefix", value } } }) };
}

function matchOf(route: HttpRoute, name: string): DubboMatch | undefined {
  const headers = route.match?.headers ?? [];
  const ofMethod = headers.filter((header) => header.name === ":method");
  const others = headers.filter((header) => header.name !== ":method");
  const path = methodOfPath(route, name);
  if (path === undefined || (route.match?.queryParameters.length ?? 0) > 0) return undefined;
  if (others.some((header) => header.name.startsWith(":"))) return undefined;
  const [first, second] = ofMethod;
  if (first === undefined) return { method: path.method ?? anyMethod(), headers: others };
  if (second !== undefined || path.method !== undefined || first.invertMatch) return undefined;
  if (first.headerMatchSpecifier.case !== "stringMatch") return undefined;
  return { method: create(MethodMatchSchema, { name: first.headerMatchSpecifier.value }), headers: others };
}

/** Of weighted clusters only names and weights count. */
function clusterOf(route: HttpRoute): Route["route"] {
  const { action } = route;
  const specifier = action.case === "route" ? action.value.clusterSpecifier : undefined;
  const clusterSpecifier =
    specifier?.case === "cluster" || specifier?.case === "weightedClusters"
      ? specifier
      : { case: "cluster" as const, value: refusedCluster };
  return create(RouteSchema, { route: { clusterSpecifier } }).route;
}

function routeTo(cluster: string): Route {
  return create(RouteSchema, {
    match: { method: anyMethod() },
    route: { clusterSpecifier: { case: "cluster", value: cluster } },
  });
}

/**
 * The routes of a Dubbo service for an unmodified Envoy. What its dubbo_proxy does not know is left out: time-outs, retries, mirrors, faults and
 * changes of headers. A route whose match it cannot make ends the list there with a refusal: calls that another route was meant for must not
 * go to those behind it.
 */
export function dubboRoutes(plan: HostPlan): RouteConfiguration[] {
  const service = plan.services[0]!;
  const name = plan.host;
  const configuration = (routes: Route[], identity: RpcIdentity = {}): RouteConfiguration =>
    create(RouteConfigurationSchema, { name, interface: name, ...identity, routes });
  if (plan.routes.length > 0) {
    const routes: Route[] = [];
    for (const route of plan.routes.flatMap((one) => policyRoutes(one, { audience: "proxies" }))) {
      const match = matchOf(route, name);
      if (match === undefined) {
        routes.push(routeTo(refusedCluster));
        break;
      }
      const { method, headers } = match;
      routes.push(
        create(RouteSchema, {
          match: { method, headers: [...headers] },
          route: clusterOf(route)!,
        }),
      );
    }
    return [configuration(routes)];
  }
  return [
    ...plan.identities.map((identity) =>
      configuration([routeTo(outboundClusterName(service, identityName(identity)))], identity),
    ),
    configuration([routeTo(outboundClusterName(service))]),
  ];
}
