import type {
  DirectResponseAction,
  HeaderMatcher,
  QueryParameterMatcher,
  RedirectAction,
  RetryPolicy,
  Route,
  RouteAction,
  RouteAction_HashPolicy,
  RouteAction_RequestMirrorPolicy,
  RouteMatch,
  VirtualHost,
  WeightedCluster,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { changedHeaderProblem, headerNameProblem } from "./common-checks.ts";
import type { MessageCheck } from "./walk.ts";

export const maxUint32 = 2 ** 32 - 1;

/** @returns one of each name that is there more than once */
export function repeated(names: Iterable<string>): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}

function* routeConfiguration({ name, virtualHosts }: RouteConfiguration): Generator<string> {
  if (name === "") yield "it has no name";
  yield* hostsProblem(virtualHosts);
}

/** Names and domains are each there once in a RouteConfiguration, domains in any case. */
export function* hostsProblem(
  hosts: Iterable<{ readonly name: string; readonly domains: readonly string[] }>,
): Generator<string> {
  const all = [...hosts];
  for (const name of repeated(all.map((host) => host.name)))
    yield `there are two virtual hosts ${JSON.stringify(name)}`;
  const domains = all.flatMap((host) => host.domains.map((domain) => domain.toLowerCase()));
  for (const domain of repeated(domains)) yield `two virtual hosts have the domain ${JSON.stringify(domain)}`;
}

function* virtualHost(host: VirtualHost): Generator<string> {
  if (host.name === "") yield "it has no name";
  if (host.domains.length === 0) yield "it has no domain";
  for (const domain of host.domains) {
    if (domain === "" || /[\0\r\n]/.test(domain)) yield `${JSON.stringify(domain)} is no domain`;
    // Only at one end, and not at both.
    if (/.\*./.test(domain) || /^\*.*\*$/.test(domain))
      yield `the domain ${JSON.stringify(domain)} has its * in the middle`;
  }
  yield* headersRemoved(host);
}

function* headersRemoved(message: {
  readonly requestHeadersToRemove: readonly string[];
  readonly responseHeadersToRemove: readonly string[];
}): Generator<string> {
  for (const name of message.requestHeadersToRemove) yield* changedHeaderProblem(name);
  for (const name of message.responseHeadersToRemove) yield* changedHeaderProblem(name);
}

function* route(message: Route): Generator<string> {
  if (message.match === undefined) yield "it has no match";
  if (message.action.case === undefined) yield "it has no action";
  yield* headersRemoved(message);
}

function* routeMatch({ pathSpecifier }: RouteMatch): Generator<string> {
  if (pathSpecifier.case === undefined) yield "it says nothing of the path";
  if (pathSpecifier.case === "pathSeparatedPrefix" && !/^[^?#]+[^?#/]$/.test(pathSpecifier.value))
    yield `the path ${JSON.stringify(pathSpecifier.value)} ends with a slash, or has a query or fragment`;
}

function* headerMatcher({ name }: HeaderMatcher): Generator<string> {
  yield* headerNameProblem(name, "it matches");
}

function* queryMatcher({ name }: QueryParameterMatcher): Generator<string> {
  if (name === "" || name.length > 1024) yield "the name of the parameter has 1 to 1024 characters";
}

function* routeAction({ clusterSpecifier, prefixRewrite, regexRewrite }: RouteAction): Generator<string> {
  if (clusterSpecifier.case === undefined) yield "it leads nowhere";
  if (clusterSpecifier.case === "cluster" && clusterSpecifier.value === "") yield "its cluster has no name";
  if (prefixRewrite !== "" && regexRewrite !== undefined)
    yield "it rewrites the path twice: prefix_rewrite and regex_rewrite";
}

function* weightedCluster({ clusters }: WeightedCluster): Generator<string> {
  if (clusters.length === 0) yield "it has no cluster";
  const sum = clusters.reduce((total, { weight }) => total + (weight ?? 0), 0);
  if (clusters.length > 0 && sum === 0) yield "the weights add up to 0";
  if (sum > maxUint32) yield `the weights add up to ${sum}, and at most to ${maxUint32}`;
  if (clusters.some(({ name }) => name === "")) yield "a cluster has no name";
}

function* mirror({ cluster, clusterHeader }: RouteAction_RequestMirrorPolicy): Generator<string> {
  if ((cluster === "") === (clusterHeader === "")) yield "its copies go to a cluster or to that of a header";
}

function* hashPolicy({ policySpecifier }: RouteAction_HashPolicy): Generator<string> {
  if (policySpecifier.case === undefined) yield "it hashes nothing";
  if (policySpecifier.case === "header") yield* headerNameProblem(policySpecifier.value.headerName, "it hashes");
  if (policySpecifier.case === "cookie") {
    yield* headerNameProblem(policySpecifier.value.name, "the cookie's name");
    if (/[;\s]/.test(policySpecifier.value.path))
      yield `the cookie's path ${JSON.stringify(policySpecifier.value.path)} ends the cookie`;
  }
  if (policySpecifier.case === "queryParameter" && policySpecifier.value.name === "") yield "the parameter has no name";
}

function* retryPolicy({ retriableStatusCodes, retryBackOff }: RetryPolicy): Generator<string> {
  for (const code of retriableStatusCodes) if (code < 100 || code > 599) yield `${code} is no status code`;
  const { baseInterval, maxInterval } = retryBackOff ?? {};
  if (baseInterval === undefined || maxInterval === undefined) return;
  if (
    maxInterval.seconds * 1_000_000_000n + BigInt(maxInterval.nanos) <
    baseInterval.seconds * 1_000_000_000n + BigInt(baseInterval.nanos)
  )
    yield "the longest pause is shorter than the first";
}

function* redirect({ hostRedirect, portRedirect }: RedirectAction): Generator<string> {
  if (/[\0\r\n]/.test(hostRedirect)) yield "the host has a line break in it";
  if (portRedirect > 65_535) yield `${portRedirect} is no port`;
}

function* directResponse({ status }: DirectResponseAction): Generator<string> {
  if (status < 200 || status > 599) yield `${status} is no status of an answer`;
}

const prefix = "envoy.config.route.v3.";

export const routeChecks: readonly (readonly [string, MessageCheck])[] = [
  [`${prefix}RouteConfiguration`, routeConfiguration],
  [`${prefix}VirtualHost`, virtualHost],
  [`${prefix}Route`, route],
  [`${prefix}RouteMatch`, routeMatch],
  [`${prefix}HeaderMatcher`, headerMatcher],
  [`${prefix}QueryParameterMatcher`, queryMatcher],
  [`${prefix}RouteAction`, routeAction],
  [`${prefix}RouteAction.HashPolicy`, hashPolicy],
  [`${prefix}RouteAction.RequestMirrorPolicy`, mirror],
  [`${prefix}WeightedCluster`, weightedCluster],
  [`${prefix}RetryPolicy`, retryPolicy],
  [`${prefix}RedirectAction`, redirect],
  [`${prefix}DirectResponseAction`, directResponse],
];
