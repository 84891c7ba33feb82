import { isDeepStrictEqual } from "node:util";
import type { HeaderOperations, Headers, HttpMatch, HttpRoute, StringMatch } from "@fairlead/policy";

/** @returns what both say, which is the narrower; undefined = no text is meant by both, or none can be named */
function narrower(root: StringMatch | undefined, own: StringMatch | undefined): StringMatch | "neither" | undefined {
  if (root === undefined || own === undefined) return root ?? own;
  if (isDeepStrictEqual(root, own) || root.kind === "present") return own;
  if (own.kind === "present") return root;
  if (root.kind === "prefix" && own.kind !== "regex") return own.value.startsWith(root.value) ? own : "neither";
  return "neither";
}

type Matches = Readonly<Record<string, StringMatch>>;

function narrowerAll(root: Matches, own: Matches): Matches | "neither" {
  const merged: Record<string, StringMatch> = {};
  for (const name of new Set([...Object.keys(root), ...Object.keys(own)])) {
    const one = narrower(root[name], own[name]);
    if (one === "neither") return "neither";
    if (one !== undefined) merged[name] = one;
  }
  return merged;
}

/** @returns calls that both take; undefined when there are none that could be named */
function mergedMatch(root: HttpMatch, own: HttpMatch): HttpMatch | undefined {
  const fields = ["uri", "scheme", "method", "authority"] as const;
  const texts = fields.map((field) => [field, narrower(root[field], own[field])] as const);
  const headers = narrowerAll(root.headers, own.headers);
  const queryParams = narrowerAll(root.queryParams, own.queryParams);
  const withoutHeaders = narrowerAll(root.withoutHeaders, own.withoutHeaders);
  if (texts.some(([, match]) => match === "neither")) return undefined;
  if (headers === "neither" || queryParams === "neither" || withoutHeaders === "neither") return undefined;
  if (root.port !== undefined && own.port !== undefined && root.port !== own.port) return undefined;
  const names = [root.name, own.name].filter((name) => name !== undefined);
  return {
    ...root,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    ...Object.fromEntries(texts.filter(([, match]) => match !== undefined)),
    ...(names.length === 0 ? {} : { name: names.join("-") }),
    ignoreUriCase: root.ignoreUriCase || own.ignoreUriCase,
    sourceLabels: { ...root.sourceLabels, ...own.sourceLabels },
    headers,
    queryParams,
    withoutHeaders,
  };
}

function mergedOperations(root: HeaderOperations | undefined, own: HeaderOperations | undefined) {
  if (root === undefined || own === undefined) return own ?? root;
  return {
    set: { ...root.set, ...own.set },
    add: { ...root.add, ...own.add },
    remove: [...new Set([...root.remove, ...own.remove])],
  };
}

function mergedHeaders(root: Headers | undefined, own: Headers | undefined): Headers | undefined {
  if (root === undefined || own === undefined) return own ?? root;
  const request = mergedOperations(root.request, own.request);
  const response = mergedOperations(root.response, own.response);
  return { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) };
}

function given(route: HttpRoute): Partial<HttpRoute> {
  return Object.fromEntries(Object.entries(route).filter(([, value]) => value !== undefined));
}

/**
 * The routes of a delegate in the place of a root's route. A call must match both; what the delegate says comes before what the root
 * says. Routes that no call could take are left out.
 */
export function mergedRoutes(root: HttpRoute, delegate: readonly HttpRoute[]): HttpRoute[] {
  const { delegate: _, ...rest } = root;
  return delegate.flatMap((own) => {
    const pairs =
      root.match.length === 0
        ? own.match
        : own.match.length === 0
          ? root.match
          : root.match.flatMap((outer) => own.match.flatMap((inner) => mergedMatch(outer, inner) ?? []));
    if (pairs.length === 0 && root.match.length + own.match.length > 0) return [];
    const names = [root.name, own.name].filter((name) => name !== undefined);
    const headers = mergedHeaders(root.headers, own.headers);
    return [
      {
        ...rest,
        ...given(own),
        ...(names.length === 0 ? {} : { name: names.join("-") }),
        ...(headers === undefined ? {} : { headers }),
        match: pairs,
      },
    ];
  });
}
