import { HeaderMap, type RequestHead } from "@fairlead/proxy-stream";
import type { ForwardAction } from "../route-action.ts";
import type { RouteMatch } from "../route-match.ts";
import type { RouteSpec } from "../route-spec.ts";

export function head(authority: string, path: string, headers: readonly string[] = [], method = "GET"): RequestHead {
  return { method, path, authority, scheme: "http", headers: new HeaderMap([...headers]) };
}

export function forward(cluster: string, more: Partial<ForwardAction> = {}): ForwardAction {
  return {
    kind: "forward",
    clusters: [{ name: cluster, weight: 1 }],
    timeoutMs: 0,
    clusterNotFoundStatus: 503,
    ...more,
  };
}

export function route(name: string, match: RouteMatch, more: Partial<ForwardAction> = {}): RouteSpec {
  return { name, match, action: forward(name, more) };
}

export const all: RouteMatch = { path: { kind: "prefix", value: "/" } };
