import {
  type DirectResponseAction as DirectResponseMessage,
  type RedirectAction as RedirectMessage,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
  type Route,
  type RouteAction as RouteActionMessage,
  RouteAction_ClusterNotFoundResponseCode,
  RouteActionSchema,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type {
  DirectResponseAction,
  ForwardAction,
  RedirectAction,
  RouteAction,
  WeightedCluster,
} from "@fairlead/proxy-router";
import { durationMs } from "./duration.ts";
import { mutationFields, readMutations } from "./header-mutations.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readRetryPolicy } from "./retry-policy.ts";

const DEFAULT_TIMEOUT_MS = 15_000;

/** @throws FairleadError FL_XDS_REJECTED */
export function readAction(route: Route, where: string): RouteAction {
  switch (route.action.case) {
    case "route":
      return readForward(route.action.value, `${where}.route.`);
    case "redirect":
      return readRedirect(route.action.value, `${where}.redirect.`);
    case "directResponse":
      return readDirect(route.action.value, `${where}.direct_response.`);
    default:
      throw rejection(where, "has none of route, redirect, direct_response");
  }
}

function readForward(message: RouteActionMessage, where: string): ForwardAction {
  refuseOthers(RouteActionSchema, message, where, [
    "cluster",
    "weighted_clusters",
    "cluster_not_found_response_code",
    "prefix_rewrite",
    "regex_rewrite",
    "host_rewrite_literal",
    "append_x_forwarded_host",
    "timeout",
    "retry_policy",
  ]);
  const { hostRewriteSpecifier: host } = message;
  return {
    kind: "forward",
    clusters: readClusters(message, where),
    timeoutMs: durationMs(message.timeout, DEFAULT_TIMEOUT_MS, `${where}timeout`),
    retry: readRetryPolicy(message.retryPolicy, `${where}retry_policy`),
    prefixRewrite:
      message.prefixRewrite === "" ? undefined : readPathText(message.prefixRewrite, `${where}prefix_rewrite`),
    regexRewrite:
      message.regexRewrite === undefined
        ? undefined
        : {
            pattern: message.regexRewrite.pattern?.regex ?? "",
            substitution: readPathText(message.regexRewrite.substitution, `${where}regex_rewrite.substitution`),
          },
    hostRewrite: host.case === "hostRewriteLiteral" ? readHost(host.value, `${where}host_rewrite_literal`) : undefined,
    appendForwardedHost: message.appendXForwardedHost,
    clusterNotFoundStatus: readNotFoundStatus(message.clusterNotFoundResponseCode),
  };
}

function readNotFoundStatus(code: RouteAction_ClusterNotFoundResponseCode): number {
  if (code === RouteAction_ClusterNotFoundResponseCode.NOT_FOUND) return 404;
  return code === RouteAction_ClusterNotFoundResponseCode.INTERNAL_SERVER_ERROR ? 500 : 503;
}

function readClusters(message: RouteActionMessage, where: string): WeightedCluster[] {
  const { clusterSpecifier } = message;
  if (clusterSpecifier.case === "cluster") return [{ name: clusterSpecifier.value, weight: 1 }];
  if (clusterSpecifier.case !== "weightedClusters") throw rejection(where, "has neither cluster nor weighted_clusters");
  const field = `${where}weighted_clusters.`;
  refuseOthers(WeightedClusterSchema, clusterSpecifier.value, field, [
    "clusters",
    "total_weight",
    "runtime_key_prefix",
  ]);
  return clusterSpecifier.value.clusters.map((cluster, i) => {
    const at = `${field}clusters[${i}].`;
    refuseOthers(WeightedCluster_ClusterWeightSchema, cluster, at, [
      "name",
      "weight",
      "host_rewrite_literal",
      ...mutationFields,
    ]);
    const host = cluster.hostRewriteSpecifier;
    return {
      name: cluster.name,
      weight: cluster.weight ?? 0,
      hostRewrite: host.case === "hostRewriteLiteral" ? readHost(host.value, `${at}host_rewrite_literal`) : undefined,
      mutations: readMutations(cluster, at),
    };
  });
}

const redirectStatuses: Readonly<Record<RedirectAction_RedirectResponseCode, number>> = {
  [RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY]: 301,
  [RedirectAction_RedirectResponseCode.FOUND]: 302,
  [RedirectAction_RedirectResponseCode.SEE_OTHER]: 303,
  [RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT]: 307,
  [RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT]: 308,
};

function readRedirect(message: RedirectMessage, where: string): RedirectAction {
  refuseOthers(RedirectActionSchema, message, where, [
    "https_redirect",
    "scheme_redirect",
    "host_redirect",
    "port_redirect",
    "path_redirect",
    "prefix_rewrite",
    "response_code",
    "strip_query",
  ]);
  const { schemeRewriteSpecifier: scheme, pathRewriteSpecifier: path } = message;
  return {
    kind: "redirect",
    status: redirectStatuses[message.responseCode],
    scheme:
      scheme.case === "schemeRedirect" ? readScheme(scheme.value, where) : scheme.value === true ? "https" : undefined,
    host: message.hostRedirect === "" ? undefined : readHost(message.hostRedirect, `${where}host_redirect`),
    port: message.portRedirect === 0 ? undefined : message.portRedirect,
    path: path.case === "pathRedirect" ? readPathText(path.value, `${where}path_redirect`) : undefined,
    prefixRewrite: path.case === "prefixRewrite" ? readPathText(path.value, `${where}prefix_rewrite`) : undefined,
    stripQuery: message.stripQuery,
  };
}

function readScheme(scheme: string, where: string): "http" | "https" {
  if (scheme !== "http" && scheme !== "https") throw rejection(`${where}scheme_redirect`, "is neither http nor https");
  return scheme;
}

/** Envoy's limit for a body in the configuration. */
const MAX_DIRECT_BODY_BYTES = 4096;

function readDirect(message: DirectResponseMessage, where: string): DirectResponseAction {
  const source = message.body?.specifier;
  let body = "";
  if (source?.case === "inlineString") body = source.value;
  else if (source?.case === "inlineBytes") body = Buffer.from(source.value).toString("utf8");
  else if (source?.case !== undefined)
    throw rejection(`${where}body`, "only inline_string and inline_bytes are supported");
  if (Buffer.byteLength(body) > MAX_DIRECT_BODY_BYTES)
    throw rejection(`${where}body`, `is more than ${MAX_DIRECT_BODY_BYTES} bytes`);
  if (message.status < 200 || message.status > 599)
    throw rejection(`${where}status`, "is not a status from 200 to 599");
  return { kind: "direct", status: message.status, body };
}

/** What is put into a request line or a location must not be able to end it. */
function readPathText(text: string, field: string): string {
  if (!/^[\x21-\x7e]*$/.test(text)) throw rejection(field, "holds a character that a path may not");
  return text;
}

function readHost(host: string, field: string): string {
  if (!/^[A-Za-z0-9\-._~%!$&'()*+;=:[\]]+$/.test(host)) throw rejection(field, `${JSON.stringify(host)} is not a host`);
  return host;
}
