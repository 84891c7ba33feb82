import { create } from "@bufbuild/protobuf";
import {
  type RouteAction,
  type RouteAction_RequestMirrorPolicy,
  RouteAction_RequestMirrorPolicySchema,
  RouteActionSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { HttpMatch, HttpRoute } from "@fairlead/policy";
import type { Audience } from "./audience.ts";
import { durationOf } from "./durations.ts";
import { hashPolicy } from "./hash-policy.ts";
import { authorityOf, headerChanges } from "./header-changes.ts";
import { fractionalPercent } from "./percent.ts";
import type { RouteToRender } from "./planned-route.ts";
import { retryPolicy } from "./retry-policy.ts";

/** gRPC clients take a call's time-out from here. */
function grpcTimeout(timeout: number | undefined, audience: Audience) {
  return audience === "proxies" || timeout === undefined || timeout === 0
    ? {}
    : { maxStreamDuration: { maxStreamDuration: durationOf(timeout) } };
}

/** C-core refuses weights that do not add up to `total_weight`, which is 100 where it is left out. For proxies it is deprecated. */
function totalWeight(total: number, audience: Audience) {
  return audience === "proxies" || total === 100 ? {} : { totalWeight: total };
}

function hostRewrite(authority: string | undefined) {
  return authority === undefined
    ? {}
    : { hostRewriteSpecifier: { case: "hostRewriteLiteral" as const, value: authority } };
}

function clusterSpecifier({ destinations }: RouteToRender, audience: Audience) {
  const [only] = destinations;
  if (destinations.length === 1) return { case: "cluster" as const, value: only!.cluster };
  const weighted = destinations.filter(({ weight }) => weight > 0);
  return {
    case: "weightedClusters" as const,
    value: {
      clusters: weighted.map(({ cluster, weight, headers }) => ({
        name: cluster,
        weight,
        ...headerChanges(headers),
        ...hostRewrite(authorityOf(headers)),
      })),
      ...totalWeight(
        weighted.reduce((sum, { weight }) => sum + weight, 0),
        audience,
      ),
    },
  };
}

const quote = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

function pathRewrite(rewrite: HttpRoute["rewrite"], match: HttpMatch | undefined) {
  const pattern = rewrite?.uriRegexRewrite;
  if (pattern !== undefined)
    return { regexRewrite: { pattern: { regex: pattern.match }, substitution: pattern.rewrite } };
  const uri = rewrite?.uri;
  if (uri === undefined) return {};
  if (match?.uri?.kind === "regex") return { regexRewrite: { pattern: { regex: match.uri.value }, substitution: uri } };
  // `/api` replaced by `/` in `/api/x` would be `//x`.
  if (uri === "/" && match?.uri?.kind === "prefix" && !match.uri.value.endsWith("/")) {
    const regex = `^${match.ignoreUriCase ? "(?i:" : ""}${quote(match.uri.value)}${match.ignoreUriCase ? ")" : ""}/?(.*)`;
    return { regexRewrite: { pattern: { regex }, substitution: String.raw`/\1` } };
  }
  return { prefixRewrite: uri };
}

function mirrorPolicies(mirrors: RouteToRender["mirrors"]): RouteAction_RequestMirrorPolicy[] {
  return mirrors
    .filter(({ percent }) => percent > 0)
    .map(({ cluster, percent }) =>
      create(RouteAction_RequestMirrorPolicySchema, {
        cluster,
        ...(percent === 100 ? {} : { runtimeFraction: { defaultValue: fractionalPercent(percent) } }),
      }),
    );
}

/** Sends a call on. */
export function forwardAction(planned: RouteToRender, match: HttpMatch | undefined, audience: Audience): RouteAction {
  const { route, hash, mirrors, destinations } = planned;
  const retries = retryPolicy(route.retries, hash !== undefined);
  const only = destinations.length === 1 ? destinations[0]!.headers : undefined;
  return create(RouteActionSchema, {
    clusterSpecifier: clusterSpecifier(planned, audience),
    // Istio's default is no time-out. Envoy's, 15 s, would apply where the field is left out.
    timeout: durationOf(route.timeout ?? 0),
    ...grpcTimeout(route.timeout, audience),
    ...pathRewrite(route.rewrite, match),
    ...hostRewrite(route.rewrite?.authority ?? authorityOf(only) ?? authorityOf(route.headers)),
    ...(retries === undefined ? {} : { retryPolicy: retries }),
    ...(hash === undefined ? {} : { hashPolicy: [hashPolicy(hash)] }),
    requestMirrorPolicies: mirrorPolicies(mirrors),
  });
}
