import { computation, type Reading } from "@fairlead/incremental";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { type HttpRoute, maxRouteBytes, routeBytes, typedPolicy } from "@fairlead/policy";
import { FairleadError } from "@fairlead/errors";
import { mergedRoutes } from "../delegate-merge.ts";
import { policies } from "./facts.ts";
import { missingHost } from "./missing-destination.ts";

/** The routes of a delegate as its text has them now, or where that cannot be read as it last could be. Key: the policy's. */
const delegateRoutes = computation("routes of a delegate", (reading, key): readonly HttpRoute[] | undefined => {
  const candidates = reading.get(policies, key);
  for (const policy of [candidates?.current, candidates?.lastGood]) {
    if (policy === undefined) continue;
    try {
      const typed = typedPolicy(policy);
      if (typed.kind === "VirtualService" && typed.spec.hosts.length === 0) return typed.spec.http;
    } catch {
      // Its own contribution says what is wrong with it.
    }
  }
  return undefined;
});

/** What becomes of a policy whose destination, or delegate, is not there. */
export type WhenMissing = "refuse" | "answer503";

/** The calls of a route, for nobody. */
export function closedRoute({ name, match }: HttpRoute): HttpRoute {
  return { name, match, route: [{ destination: { host: missingHost } }] };
}

/** Of a root and its delegates: each pair is looked at, and most become a route. */
const maxMatchPairs = 100_000;

const matchesOf = (routes: readonly HttpRoute[]) =>
  routes.reduce((sum, { match }) => sum + Math.max(1, match.length), 0);

/**
 * The routes with those of delegates in the place of the routes that name them.
 *
 * @throws FairleadError FL_POLICY_DESTINATION_UNKNOWN when a delegate is not there, FL_POLICY_UNSUPPORTED when there would be too many routes
 */
export function withDelegates(
  reading: Reading,
  policy: PolicyObject,
  http: readonly HttpRoute[],
  whenMissing: WhenMissing = "refuse",
): readonly HttpRoute[] {
  if (http.every(({ delegate }) => delegate === undefined)) return http;
  const delegated = http.map((root) => ({ root, routes: routesOfDelegate(reading, policy, root, whenMissing) }));
  // Each text has its own limit, but not the product of two.
  const pairs = delegated.reduce((sum, { root, routes = [] }) => sum + matchesOf([root]) * matchesOf(routes), 0);
  if (pairs > maxMatchPairs) throw tooManyRoutes(policy);
  const merged = delegated.flatMap(({ root, routes }) => (routes === undefined ? [root] : mergedRoutes(root, routes)));
  const typed = typedPolicy(policy);
  const hosts = typed.kind === "VirtualService" ? typed.spec.hosts.length : 1;
  if (routeBytes(hosts, merged) > maxRouteBytes) throw tooManyRoutes(policy);
  return merged;
}

function routesOfDelegate(
  reading: Reading,
  policy: PolicyObject,
  root: HttpRoute,
  whenMissing: WhenMissing,
): readonly HttpRoute[] | undefined {
  if (root.delegate === undefined) return undefined;
  const { name = "", namespace = policy.namespace } = root.delegate;
  const found = reading.get(delegateRoutes, policyKey({ kind: "VirtualService", namespace, name }));
  if (found !== undefined) return found;
  if (whenMissing === "answer503") return [closedRoute({ ...root, match: [] })];
  throw new FairleadError(
    "FL_POLICY_DESTINATION_UNKNOWN",
    `${policy.kind} ${policy.namespace}/${policy.name}: there is no VirtualService ${namespace}/${name} without hosts to delegate to`,
    { facts: { file: policy.file, line: policy.line } },
  );
}

const tooManyRoutes = (policy: PolicyObject) =>
  new FairleadError(
    "FL_POLICY_UNSUPPORTED",
    `${policy.kind} ${policy.namespace}/${policy.name}: with its delegates it would become too many routes: each of its matches is there with each of theirs, for each host`,
    { facts: { file: policy.file, line: policy.line } },
  );
