import { compileRegexRewrite } from "./regex-rewrite.ts";
import type { RouteSpec } from "./route-spec.ts";

/**
 * What the route makes of a path; its query stays as it is.
 *
 * @returns undefined for a route that leaves it
 * @throws FairleadError FL_ROUTE_INVALID
 */
export function compilePathRewrite(spec: RouteSpec, where: string): ((path: string) => string) | undefined {
  if (spec.action.kind === "direct") return undefined;
  const { prefixRewrite, regexRewrite } = spec.action;
  const { path: match } = spec.match;
  if (prefixRewrite !== undefined) {
    const byPrefix = match.kind === "prefix" || match.kind === "separatedPrefix";
    return onPath((path) => prefixRewrite + (byPrefix ? path.slice(match.value.length) : ""));
  }
  if (regexRewrite === undefined) return undefined;
  return onPath(compileRegexRewrite(regexRewrite.pattern, regexRewrite.substitution, `${where}.regex_rewrite`));
}

function onPath(rewrite: (path: string) => string): (path: string) => string {
  return (path) => {
    const mark = path.indexOf("?");
    const rewritten = mark === -1 ? rewrite(path) : rewrite(path.slice(0, mark)) + path.slice(mark);
    // Configuration must not be able to make a request line of something else.
    return rewritten.startsWith("/") ? rewritten : `/${rewritten}`;
  };
}
