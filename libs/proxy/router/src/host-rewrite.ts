import type { RequestHead } from "@fairlead/proxy-stream";
import { compileRegexRewrite } from "./regex-rewrite.ts";
import type { HostRewrite } from "./route-action.ts";

/** @returns the new host; undefined when the old one stays, or when only the chosen endpoint knows (`auto`) */
export type CompiledHostRewrite = (head: RequestHead) => string | undefined;

/** @throws FairleadError FL_ROUTE_INVALID */
export function compileHostRewrite(rewrite: HostRewrite | undefined, where: string): CompiledHostRewrite | undefined {
  if (rewrite === undefined || rewrite.kind === "auto") return undefined;
  if (rewrite.kind === "literal") return () => rewrite.host;
  if (rewrite.kind === "header") return (head) => usable(head.headers.get(rewrite.name));
  const onPath = compileRegexRewrite(rewrite.pattern, rewrite.substitution, `${where}.host_rewrite_path_regex`);
  return (head) => {
    const mark = head.path.indexOf("?");
    return usable(onPath(mark === -1 ? head.path : head.path.slice(0, mark)));
  };
}

/** A client wrote it: it must not be able to write more than a host. */
function usable(host: string | undefined): string | undefined {
  return host !== undefined && /^[A-Za-z0-9\-._~%!$&'()*+;=:[\]]+$/.test(host) ? host : undefined;
}
