import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  NonForwardingActionSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  DirectResponseActionSchema,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
  type RetryPolicy,
  RetryPolicySchema,
  type Route,
  RouteActionSchema,
  RouteMatchSchema,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { PreviousHostsPredicateSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import type { HttpMatch, HttpRoute, StringMatch } from "@fairlead/policy";
import { durationOf } from "./durations.ts";
import { outboundClusterName } from "./names.ts";
import { compareText, type PlannedRoute, type ServicePlan } from "./service-plan.ts";

/** Istio's: what may be repeated without knowing whether the call had an effect. */
const defaultRetryOn = "connect-failure,refused-stream,unavailable,cancelled,reset-before-request";
const defaultRetries = 2;
/** How often another host is picked when the balancer gives one that was tried before. */
const hostSelectionAttempts = 5n;

function retryPolicy(retries: HttpRoute["retries"]): RetryPolicy | undefined {
  if (retries?.attempts === 0) return undefined;
  const { conditions, statusCodes } = retries?.retryOn ?? { conditions: [], statusCodes: [] };
  const named = [...conditions, ...(statusCodes.length > 0 ? ["retriable-status-codes"] : [])];
  return create(RetryPolicySchema, {
    retryOn: named.length === 0 ? defaultRetryOn : named.join(","),
    numRetries: retries?.attempts ?? defaultRetries,
    retriableStatusCodes: statusCodes,
    hostSelectionRetryMaxAttempts: hostSelectionAttempts,
    retryHostPredicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        configType: {
          case: "typedConfig",
          value: anyPack(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
        },
      },
    ],
    ...(retries?.perTryTimeout === undefined ? {} : { perTryTimeout: durationOf(retries.perTryTimeout) }),
  });
}

function stringMatcher(match: StringMatch) {
  switch (match.kind) {
    case "exact":
      return { matchPattern: { case: "exact" as const, value: match.value } };
    case "prefix":
      return { matchPattern: { case: "prefix" as const, value: match.value } };
    case "regex":
      return { matchPattern: { case: "safeRegex" as const, value: { regex: match.value } } };
    case "present":
      return { matchPattern: { case: "prefix" as const, value: "" } };
  }
}

function headerMatcher(name: string, match: StringMatch, invert: boolean): HeaderMatcher {
  const headerMatchSpecifier =
    match.kind === "present"
      ? { case: "presentMatch" as const, value: true }
      : { case: "stringMatch" as const, value: stringMatcher(match) };
  // "Without" is true of a request that lacks the header.
  return create(HeaderMatcherSchema, {
    name: name.toLowerCase(),
    headerMatchSpecifier,
    invertMatch: invert,
    treatMissingHeaderAsEmpty: invert && match.kind !== "present",
  });
}

function headerMatchers(match: HttpMatch): HeaderMatcher[] {
  const sorted = (headers: Readonly<Record<string, StringMatch>>) =>
    Object.entries(headers).toSorted(([a], [b]) => compareText(a, b));
  return [
    ...(match.method === undefined ? [] : [headerMatcher(":method", match.method, false)]),
    ...(match.authority === undefined ? [] : [headerMatcher(":authority", match.authority, false)]),
    ...sorted(match.headers).map(([name, value]) => headerMatcher(name, value, false)),
    ...sorted(match.withoutHeaders).map(([name, value]) => headerMatcher(name, value, true)),
  ];
}

function queryMatchers(match: HttpMatch): QueryParameterMatcher[] {
  return Object.entries(match.queryParams)
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([name, value]) =>
      create(QueryParameterMatcherSchema, {
        name,
        queryParameterMatchSpecifier: { case: "stringMatch", value: stringMatcher(value) },
      }),
    );
}

function pathSpecifier(uri: StringMatch | undefined) {
  switch (uri?.kind) {
    case "exact":
      return { case: "path" as const, value: uri.value };
    case "prefix":
      return { case: "prefix" as const, value: uri.value };
    case "regex":
      return { case: "safeRegex" as const, value: { regex: uri.value } };
    default:
      return { case: "prefix" as const, value: "/" };
  }
}

function routeMatch(match: HttpMatch | undefined) {
  return create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match?.uri),
    ...(match?.ignoreUriCase === true ? { caseSensitive: false } : {}),
    headers: match === undefined ? [] : headerMatchers(match),
    queryParameters: match === undefined ? [] : queryMatchers(match),
  });
}

/** Who reads the routes: proxies, or proxyless gRPC clients, which know less and read some of it elsewhere. */
export type Audience = "proxies" | "grpcClients";

/** gRPC clients take a call's time-out from here. */
function grpcTimeout(route: HttpRoute, audience: Audience) {
  return audience === "proxies" || route.timeout === undefined || route.timeout === 0
    ? {}
    : { maxStreamDuration: { maxStreamDuration: durationOf(route.timeout) } };
}

/** C-core refuses weights that do not add up to `total_weight`, which is 100 where it is left out. For proxies it is deprecated. */
function totalWeight(destinations: PlannedRoute["destinations"], audience: Audience) {
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  return audience === "proxies" || total === 100 ? {} : { totalWeight: total };
}

function forwardAction(planned: PlannedRoute, match: HttpMatch | undefined, audience: Audience) {
  const { route, destinations } = planned;
  const { rewrite } = route;
  const [first] = destinations;
  const clusterSpecifier =
    destinations.length === 1
      ? { case: "cluster" as const, value: outboundClusterName(first!.service, first!.subset) }
      : {
          case: "weightedClusters" as const,
          value: {
            clusters: destinations
              .filter(({ weight }) => weight > 0)
              .map(({ service, subset, weight }) => ({ name: outboundClusterName(service, subset), weight })),
            ...totalWeight(destinations, audience),
          },
        };
  return create(RouteActionSchema, {
    clusterSpecifier,
    // Istio's default is no time-out. Envoy's, 15 s, would apply where the field is left out.
    timeout: durationOf(route.timeout ?? 0),
    ...grpcTimeout(route, audience),
    ...(rewrite?.uri === undefined
      ? {}
      : match?.uri?.kind === "regex"
        ? { regexRewrite: { pattern: { regex: match.uri.value }, substitution: rewrite.uri } }
        : { prefixRewrite: rewrite.uri }),
    ...(rewrite?.authority === undefined
      ? {}
      : { hostRewriteSpecifier: { case: "hostRewriteLiteral" as const, value: rewrite.authority } }),
    ...retryField(route.retries),
  });
}

function retryField(retries: HttpRoute["retries"]): { retryPolicy?: RetryPolicy } {
  const policy = retryPolicy(retries);
  return policy === undefined ? {} : { retryPolicy: policy };
}

const redirectCodes: Readonly<Record<number, RedirectAction_RedirectResponseCode>> = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
};

function routeAction(planned: PlannedRoute, match: HttpMatch | undefined, audience: Audience): Route["action"] {
  const { redirect, directResponse } = planned.route;
  // A gRPC client cannot answer itself or go elsewhere: the call fails, as it would on an answer that is not gRPC.
  if (audience === "grpcClients" && planned.route.route === undefined) {
    return { case: "nonForwardingAction", value: create(NonForwardingActionSchema) };
  }
  if (redirect !== undefined) {
    const value = create(RedirectActionSchema, {
      hostRedirect: redirect.authority ?? "",
      responseCode: redirectCodes[redirect.redirectCode]!,
      ...(redirect.uri === undefined ? {} : { pathRewriteSpecifier: { case: "pathRedirect", value: redirect.uri } }),
    });
    return { case: "redirect", value };
  }
  if (directResponse !== undefined) {
    const { status, body } = directResponse;
    const value = create(DirectResponseActionSchema, {
      status,
      ...(body === undefined ? {} : { body: { specifier: { case: "inlineString", value: body.string } } }),
    });
    return { case: "directResponse", value };
  }
  return { case: "route", value: forwardAction(planned, match, audience) };
}

/** One route for each match of a policy's route: they are alternatives. */
function policyRoutes(planned: PlannedRoute, audience: Audience): Route[] {
  const matches: readonly (HttpMatch | undefined)[] =
    planned.route.match.length === 0 ? [undefined] : planned.route.match;
  return matches.map((match) =>
    create(RouteSchema, {
      name: [planned.route.name, match?.name].filter((part) => part !== undefined).join("."),
      match: routeMatch(match),
      action: routeAction(planned, match, audience),
    }),
  );
}

function defaultRoute(plan: ServicePlan): Route {
  return create(RouteSchema, {
    name: "default",
    match: routeMatch(undefined),
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        clusterSpecifier: { case: "cluster", value: outboundClusterName(plan.service) },
        timeout: durationOf(0),
        ...retryField(undefined),
      }),
    },
  });
}

/**
 * The virtual host of a service: the routes of its VirtualServices, or else one that leads to its cluster. As in Istio, a request
 * that no route of a VirtualService matches gets 404.
 */
export function virtualHost(plan: ServicePlan, audience: Audience): VirtualHost {
  const { service, routes } = plan;
  return create(VirtualHostSchema, {
    name: service.interface,
    // An API listener is reached by its name only; not all clients compare domains without case.
    domains: [audience === "proxies" ? service.interface.toLowerCase() : "*"],
    routes: routes.length === 0 ? [defaultRoute(plan)] : routes.flatMap((route) => policyRoutes(route, audience)),
  });
}
