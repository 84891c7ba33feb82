import type { RequestHead } from "@fairlead/proxy-stream";
import type { RedirectAction } from "./route-action.ts";

/** The `location` of a redirect. */
export function redirectLocation(
  action: RedirectAction,
  head: RequestHead,
  rewritePath: ((path: string) => string) | undefined,
): string {
  const scheme = action.scheme ?? head.scheme;
  const colon = /:\d*$/.exec(head.authority)?.index;
  const ownHost = colon === undefined ? head.authority : head.authority.slice(0, colon);
  const ownPort = colon === undefined ? "" : head.authority.slice(colon);
  // The default port of the scheme that is left; another one stays, as in Envoy.
  const stale = scheme !== head.scheme && ownPort === (head.scheme === "http" ? ":80" : ":443");
  const kept = action.host !== undefined || stale ? "" : ownPort;
  const port = action.port === undefined ? kept : `:${action.port}`;
  return `${scheme}://${action.host ?? ownHost}${port}${pathOf(action, head.path, rewritePath)}`;
}

function pathOf(action: RedirectAction, path: string, rewrite: ((path: string) => string) | undefined): string {
  const mark = path.indexOf("?");
  const query = mark === -1 || action.stripQuery ? "" : path.slice(mark);
  if (action.path !== undefined) return action.path + (action.path.includes("?") ? "" : query);
  const bare = mark === -1 ? path : path.slice(0, mark);
  return (rewrite === undefined ? bare : rewrite(bare)) + query;
}
