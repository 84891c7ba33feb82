import {
  type InternalRedirectPolicy as Message,
  InternalRedirectPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { InternalRedirectPolicy } from "@fairlead/proxy-router";
import { refuseOthers, rejection } from "./rejection.ts";

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** They say where a request goes, and where its body ends: a host must not. */
const framing: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade"]);

/** @throws FairleadError FL_XDS_REJECTED */
export function readInternalRedirects(message: Message | undefined, where: string): InternalRedirectPolicy | undefined {
  if (message === undefined) return undefined;
  refuseOthers(InternalRedirectPolicySchema, message, where, [
    "max_internal_redirects",
    "redirect_response_codes",
    "allow_cross_scheme_redirect",
    "response_headers_to_copy",
  ]);
  const codes = message.redirectResponseCodes;
  const copiedHeaders = message.responseHeadersToCopy.map((name) => name.toLowerCase());
  for (const [i, name] of copiedHeaders.entries())
    if (framing.has(name) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw rejection(`${where}response_headers_to_copy[${i}]`, "is not a header that may be copied");
  return {
    maxRedirects: message.maxInternalRedirects ?? 1,
    // Others are left out, as in Envoy.
    statuses: codes.length === 0 ? new Set([302]) : new Set(codes.filter((code) => redirects.has(code))),
    allowsOtherScheme: message.allowCrossSchemeRedirect,
    copiedHeaders,
  };
}
