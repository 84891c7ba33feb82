import {
  type DirectResponseAction as DirectResponseMessage,
  type RedirectAction as RedirectMessage,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
  type Route,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { DirectResponseAction, RedirectAction, RouteAction } from "@fairlead/proxy-router";
import { readBody } from "./body-source.ts";
import { readForward } from "./forward-action.ts";
import { readHost, readPathText, readRegexRewrite } from "./path-text.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/**
 * @param maxBodyBytes of a response in the configuration
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readAction(route: Route, where: string, maxBodyBytes: number): RouteAction {
  switch (route.action.case) {
    case "route":
      return readForward(route.action.value, `${where}.route.`);
    case "redirect":
      return readRedirect(route.action.value, `${where}.redirect.`);
    case "directResponse":
      return readDirect(route.action.value, `${where}.direct_response.`, maxBodyBytes);
    default:
      throw rejection(where, "has none of route, redirect, direct_response");
  }
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
    "regex_rewrite",
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
    regexRewrite: path.case === "regexRewrite" ? readRegexRewrite(path.value, `${where}regex_rewrite`) : undefined,
    stripQuery: message.stripQuery,
  };
}

function readScheme(scheme: string, where: string): "http" | "https" {
  if (scheme !== "http" && scheme !== "https") throw rejection(`${where}scheme_redirect`, "is neither http nor https");
  return scheme;
}

function readDirect(message: DirectResponseMessage, where: string, maxBodyBytes: number): DirectResponseAction {
  const body = readBody(message.body, `${where}body`, maxBodyBytes) ?? { body: "" };
  if (message.status < 200 || message.status > 599)
    throw rejection(`${where}status`, "is not a status from 200 to 599");
  return { kind: "direct", status: message.status, ...body };
}
