import { create } from "@bufbuild/protobuf";
import {
  type DirectResponseAction,
  DirectResponseActionSchema,
  type RedirectAction,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { DirectResponse, Redirect } from "@fairlead/policy";

const codes: Readonly<Record<Redirect["redirectCode"], RedirectAction_RedirectResponseCode>> = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
};

/** As in Istio: what follows takes the place of the matched prefix only. */
const prefixMark = "%PREFIX()%";

function pathRewrite(uri: string | undefined): Pick<RedirectAction, "pathRewriteSpecifier"> | object {
  if (uri === undefined) return {};
  return uri.startsWith(prefixMark)
    ? { pathRewriteSpecifier: { case: "prefixRewrite", value: uri.slice(prefixMark.length) } }
    : { pathRewriteSpecifier: { case: "pathRedirect", value: uri } };
}

function portOf({ port, derivePort, scheme }: Redirect, tls: boolean): number {
  if (port !== undefined) return port;
  if (derivePort !== "FROM_PROTOCOL_DEFAULT") return 0;
  return (scheme === undefined ? tls : scheme === "https") ? 443 : 80;
}

/** @param tls whether callers come over TLS */
export function redirectAction(redirect: Redirect, tls: boolean): RedirectAction {
  return create(RedirectActionSchema, {
    hostRedirect: redirect.authority ?? "",
    portRedirect: portOf(redirect, tls),
    responseCode: codes[redirect.redirectCode],
    ...(redirect.scheme === undefined
      ? {}
      : { schemeRewriteSpecifier: { case: "schemeRedirect", value: redirect.scheme } }),
    ...pathRewrite(redirect.uri),
  });
}

export function directResponseAction({ status, body }: DirectResponse): DirectResponseAction {
  if (body === undefined) return create(DirectResponseActionSchema, { status });
  return create(DirectResponseActionSchema, {
    status,
    body: {
      specifier:
        body.string === undefined
          ? { case: "inlineBytes", value: body.bytes }
          : { case: "inlineString", value: body.string },
    },
  });
}
