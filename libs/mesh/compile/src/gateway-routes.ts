import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { compareText } from "./compare-text.ts";
import { compiled, type RenderedResource } from "./compiled.ts";
import { answerLimit, longestAnswer } from "./answer-limit.ts";
import type { PlannedPort, PlannedServer } from "./gateway-plan.ts";
import type { RouteToRender } from "./planned-route.ts";
import { policyRoutes } from "./policy-route.ts";
import { routeMatch } from "./route-match.ts";

/** What a gateway does with the calls of one domain. */
export interface GatewayHost {
  /** In lower case; may be `*` or `*.example.com`. */
  readonly domain: string;
  /** Redirects all calls to https. */
  readonly httpsRedirect: boolean;
  readonly routes: readonly RouteToRender[];
}

/** The name of the routes of a plain port: all its servers share them. */
export function plainRoutesName({ number, bind }: PlannedPort): string {
  return bind === undefined ? `http.${number}` : `http.${number}.${bind}`;
}

/** The name of the routes behind one server's TLS. */
export function secureRoutesName({ server, key }: PlannedServer): string {
  const [, namespace, name] = key.split("/");
  return `https.${server.port.number}.${server.port.name}.${name}.${namespace}`;
}

/** Several VirtualServices share a domain here, so what takes all calls comes last, whoever says it. */
function takesAll({ match }: Route): boolean {
  const path = match?.pathSpecifier;
  return path?.case === "prefix" && path.value === "/" && match!.headers.length + match!.queryParameters.length === 0;
}

function httpsRedirect(): Route {
  return create(RouteSchema, {
    name: "https-redirect",
    match: routeMatch(undefined),
    action: {
      case: "redirect",
      value: { schemeRewriteSpecifier: { case: "httpsRedirect", value: true } },
    },
  });
}

function virtualHost({ domain, httpsRedirect: redirects, routes }: GatewayHost, tls: boolean): VirtualHost {
  const rendered = routes.flatMap((route) => policyRoutes(route, { audience: "proxies", tls }));
  return create(VirtualHostSchema, {
    name: domain,
    domains: [domain],
    routes: redirects
      ? [httpsRedirect()]
      : [...rendered.filter((route) => !takesAll(route)), ...rendered.filter((route) => takesAll(route))],
  });
}

/**
 * The routes of a gateway's port, or of what is behind one server's TLS. A Host that no VirtualService has gets 404.
 *
 * @param gatewaySet which Gateways they are of: nodes of the same ones share them
 */
export function gatewayRoutes(
  gatewaySet: string,
  name: string,
  hosts: readonly GatewayHost[],
  tls: boolean,
  gateways: readonly ProvenanceEntry[],
): RenderedResource {
  const routes = hosts.flatMap((host) => host.routes);
  const message = create(RouteConfigurationSchema, {
    name,
    virtualHosts: hosts.toSorted((a, b) => compareText(a.domain, b.domain)).map((host) => virtualHost(host, tls)),
    validateClusters: false,
    ignorePortInHostMatching: true,
    ...answerLimit(longestAnswer(routes)),
  });
  const provenance = [...gateways, ...routes.map((route) => route.provenance)];
  return compiled(
    { key: `rds/${gatewaySet}/${name}`, typeUrl: typeUrls.route, name },
    RouteConfigurationSchema,
    message,
    [...new Map(provenance.map((entry) => [`${entry.kind} ${entry.key}`, entry])).values()],
  );
}
