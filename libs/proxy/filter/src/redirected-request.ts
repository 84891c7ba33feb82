import type { InternalRedirectPolicy } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead, ResponseHead } from "@fairlead/proxy-stream";

/** A request that goes on elsewhere: its client has sent all of it. */
export interface RedirectedRequest {
  readonly policy: InternalRedirectPolicy;
  readonly response: ResponseHead;
  readonly body: Buffer;
  readonly trailers: HeaderMap | undefined;
}

export interface RedirectTarget {
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
}

/** What such a redirect is counted as, which its client gets then. */
export type RedirectRefusal =
  | "passthrough_internal_redirect_bad_location"
  | "passthrough_internal_redirect_unsafe_scheme"
  | "passthrough_internal_redirect_too_many_redirects"
  | "passthrough_internal_redirect_no_route";

/** An absolute URL without user; a fragment is for the client (RFC 9110 §10.2.2). */
const absolute = /^(https?):\/\/([\w.~:[\]-]+)([/?][\x21\x22\x24-\x7e]*)?(?:#.*)?$/i;

/** @param redirects how often the request has been redirected before */
export function redirectTarget(
  { policy, response }: RedirectedRequest,
  head: RequestHead,
  redirects: number,
): RedirectTarget | RedirectRefusal {
  const location = response.headers.get("location") ?? "";
  const [, schemeText = "", authority = "", rest = "/"] = absolute.exec(location) ?? [];
  if (authority === "" || !URL.canParse(location)) return "passthrough_internal_redirect_bad_location";
  const scheme = schemeText.toLowerCase() === "https" ? "https" : "http";
  if (scheme !== head.scheme && !policy.allowsOtherScheme) return "passthrough_internal_redirect_unsafe_scheme";
  if (redirects >= policy.maxRedirects) return "passthrough_internal_redirect_too_many_redirects";
  return { scheme, authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Makes the head that of the redirected request. @returns its body: 303 asks for what it names, whatever was sent */
export function redirectHead(head: RequestHead, before: RedirectTarget, redirected: RedirectedRequest): Buffer {
  const { policy, response, body } = redirected;
  const { headers } = head;
  for (const name of policy.copiedHeaders) {
    const value = response.headers.get(name);
    if (value === undefined) headers.remove(name);
    else headers.set(name, value);
  }
  headers.set("x-envoy-original-url", `${before.scheme}://${before.authority}${before.path}`);
  if (response.status !== 303 || head.method === "GET" || head.method === "HEAD") return body;
  head.method = "GET";
  headers.remove("content-length");
  return body.subarray(0, 0);
}
