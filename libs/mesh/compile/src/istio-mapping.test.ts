import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy } from "./testing/mesh-under-test.ts";

// What Istio's control plane makes of its objects, row by row: the same here, or refused by name.

const to = "route: [{destination: {host: shop.A}}]";
const routes = (http: string) => policy("VirtualService", "vs", `{hosts: [shop.A], http: [{${http}}]}`);
const rule = (traffic: string) => policy("DestinationRule", "dr", `{host: shop.A, trafficPolicy: {${traffic}}}`);
const entry = (spec: string) =>
  policy("ServiceEntry", "se", `{hosts: [a.com], ports: [{number: 80, name: a, protocol: HTTP}], ${spec}}`);
const atGateway = (servers: string, spec: string) =>
  policy("Gateway", "g", `{selector: {edge: a}, servers: [${servers}]}`) +
  policy("VirtualService", "vs", `{hosts: ["*"], gateways: [g], ${spec}}`);
const files = "serverCertificate: /c, privateKey: /k";

/** Row of the mapping, policies, and what the resources have to hold; `refused`: the reason. */
const rows: readonly (readonly [row: string, policies: string, holds: RegExp | { readonly refused: RegExp }])[] = [
  [
    "match uri exact / prefix / regex, ignoreUriCase",
    routes(`match: [{uri: {exact: /X}, ignoreUriCase: true}, {uri: {regex: /r.*}}], ${to}`),
    /"path":"\/X","caseSensitive":false.*"safeRegex":\{"regex":"\/r\.\*"/,
  ],
  [
    "match headers, withoutHeaders, method, authority, queryParams, scheme",
    routes(`match: [{headers: {b: {}, a: {}}, method: {exact: GET}, queryParams: {q: {exact: r}}}], ${to}`),
    /":method".*"name":"a".*"name":"b".*queryParameters/,
  ],
  [
    "match on JWT claims",
    routes(`match: [{headers: {"@request.auth.claims.sub": {exact: a}}}], ${to}`),
    { refused: /expected the name of a header/ },
  ],
  [
    "match port, gateways, sourceLabels, sourceNamespace at compile time",
    routes(`match: [{sourceLabels: {a: b}}], ${to}`),
    /^(?!.*sourceLabels)/,
  ],
  [
    "statPrefix, name",
    routes(`name: n, match: [{statPrefix: s}], ${to}`),
    /"name":"n".*"statPrefix":"s"|"statPrefix":"s".*"name":"n"/,
  ],
  [
    "one or weighted destinations, 0 dropped",
    routes("route: [{destination: {host: shop.A}, weight: 1}, {destination: {host: shop.B}, weight: 0}]"),
    /"clusters":\[\{"name":"outbound\|http\|\|shop\.A","weight":1\}\]/,
  ],
  ["timeout, none by default", routes(to), /"timeout":"0s"/],
  ["retries, two by default", routes(to), /"numRetries":2.*previous_hosts/],
  [
    "fault in millionths",
    routes(`${to}, fault: {abort: {httpStatus: 500, percentage: {value: 50}}}`),
    /"numerator":500000,"denominator":"MILLION"/,
  ],
  ["mirrors", routes(`${to}, mirror: {host: shop.B}`), /requestMirrorPolicies/],
  ["rewrite", routes(`${to}, rewrite: {uri: /y}`), /prefixRewrite/],
  ["redirect, directResponse", routes("directResponse: {status: 204}"), /directResponse/],
  ["headers set, add, remove", routes(`${to}, headers: {request: {set: {a: b}}}`), /OVERWRITE_IF_EXISTS_OR_ADD/],
  ["corsPolicy", routes(`${to}, corsPolicy: {allowOrigins: [{exact: a}]}`), /envoy\.filters\.http\.cors/],
  [
    "delegate",
    routes("delegate: {name: d}") + policy("VirtualService", "d", `{http: [{name: own, ${to}}]}`),
    /"name":"own"/,
  ],
  [
    "tls by server name",
    atGateway(
      "{port: {number: 443, name: t, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}",
      `tls: [{match: [{sniHosts: [a.com]}], ${to}}]`,
    ),
    /"serverNames":\["a\.com"\].*tcp_proxy/,
  ],
  [
    "tcp by subnet",
    atGateway(
      "{port: {number: 9, name: t, protocol: TCP}, hosts: ['*']}",
      `tcp: [{match: [{destinationSubnets: [10.0.0.0/8]}], ${to}}]`,
    ),
    /"prefixRanges":\[\{"addressPrefix":"10\.0\.0\.0","prefixLen":8\}\]/,
  ],
  [
    "tls and tcp in the mesh",
    policy("VirtualService", "vs", `{hosts: [shop.A], tcp: [{${to}}]}`),
    { refused: /tcp routes are for gateways/ },
  ],
  [
    "catch-all last at gateways",
    atGateway(
      "{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}",
      `http: [{name: all, ${to}}, {name: one, match: [{uri: {exact: /x}}], ${to}}]`,
    ),
    /"path":"\/x".*"name":"one".*"name":"all"/,
  ],
  ["unmatched: REGISTRY_ONLY", policy("Sidecar", "s", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}"), /"block_all"/],
  [
    "unmatched: ALLOW_ANY",
    policy("Sidecar", "s", "{outboundTrafficPolicy: {mode: ALLOW_ANY}}"),
    { refused: /ALLOW_ANY is not implemented/ },
  ],
  [
    "rules by the narrowest host",
    policy("DestinationRule", "dr", "{host: '*', trafficPolicy: {loadBalancer: {simple: RANDOM}}}"),
    /"RANDOM"/,
  ],
  [
    "rules for some workloads",
    policy(
      "DestinationRule",
      "dr",
      "{host: shop.A, workloadSelector: {matchLabels: {}}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
    ),
    /"RANDOM"/,
  ],
  [
    "subsets",
    policy("DestinationRule", "dr", "{host: shop.A, subsets: [{name: v1}]}"),
    /"outbound\|http\|v1\|shop\.A"/,
  ],
  ["connectionPool", rule("connectionPool: {tcp: {maxConnections: 3}}"), /"maxConnections":3/],
  ["outlierDetection", rule("outlierDetection: {consecutiveGatewayErrors: 3}"), /"consecutiveGatewayFailure":3/],
  [
    "simple, consistentHash and warm-up",
    rule("loadBalancer: {consistentHash: {httpHeaderName: x}}"),
    /"RING_HASH".*"hashPolicy"/,
  ],
  ["PASSTHROUGH", rule("loadBalancer: {simple: PASSTHROUGH}"), { refused: /PASSTHROUGH is not implemented/ }],
  [
    "localityLbSetting",
    rule("loadBalancer: {localityLbSetting: {failover: []}}, outlierDetection: {}"),
    /"localityWeightedLbConfig"/,
  ],
  ["tls modes", rule("tls: {mode: SIMPLE}"), /UpstreamTlsContext/],
  ["retryBudget", rule("retryBudget: {percent: 10}"), /"retryBudget"/],
  ["proxyProtocol", rule("proxyProtocol: {version: V1}"), { refused: /proxyProtocol is not implemented/ }],
  ["ServiceEntry STATIC, DNS, DNS_ROUND_ROBIN", entry("resolution: DNS"), /"STRICT_DNS"/],
  ["ServiceEntry NONE", entry("resolution: NONE"), /"LOGICAL_DNS"/],
  [
    "Gateway: one connection manager a plain port",
    atGateway("{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}", `http: [{${to}}]`),
    /"gateway\|80".*"http\.80"/,
  ],
  [
    "Gateway: a chain a HTTPS server",
    atGateway(
      `{port: {number: 443, name: s, protocol: HTTPS}, hosts: [a.com], tls: {mode: SIMPLE, ${files}}}`,
      `http: [{${to}}]`,
    ),
    /DownstreamTlsContext/,
  ],
  [
    "Gateway: AUTO_PASSTHROUGH",
    policy(
      "Gateway",
      "g",
      "{selector: {a: b}, servers: [{port: {number: 1, name: t, protocol: TLS}, hosts: ['*'], tls: {mode: AUTO_PASSTHROUGH}}]}",
    ),
    { refused: /AUTO_PASSTHROUGH is not implemented/ },
  ],
  [
    "Gateway: httpsRedirect",
    policy(
      "Gateway",
      "g",
      "{selector: {edge: a}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}]}",
    ),
    /"httpsRedirect":true/,
  ],
  ["Sidecar egress hosts", policy("Sidecar", "s", "{egress: [{hosts: ['*/shop.a']}]}"), /"domains":\["shop\.a"\]/],
  [
    "Sidecar egress ports and capture",
    policy("Sidecar", "s", "{egress: [{hosts: ['*/*'], port: {number: 1}}]}"),
    { refused: /egress\[0\]\.port is not implemented/ },
  ],
  [
    "Sidecar inboundConnectionPool",
    policy("Sidecar", "s", "{inboundConnectionPool: {tcp: {maxConnections: 3}}}"),
    /"inbound\|8080".*"maxConnections":3/,
  ],
  ["EnvoyFilter and other kinds", policy("EnvoyFilter", "e", "{}"), { refused: /the kind is not implemented/ }],
];

function everything(policies: string): string {
  const mesh = meshOf({
    policies,
    nodes: [
      { id: "edge", labels: { edge: "a", namespace: "edge" } },
      { id: "app", inboundPort: 15006, outboundPort: 15001 },
    ],
    instances: [{ nodeId: "app", interface: "shop.A" }],
  });
  assert.deepEqual(mesh.rejected, []);
  return [...mesh.resources.keys()]
    .toSorted()
    .map((key) => JSON.stringify(jsonOf(mesh, key)))
    .join(" ");
}

describe("Istio's traffic model", () => {
  for (const [row, policies, holds] of rows) {
    test(row, () => {
      if (holds instanceof RegExp) return assert.match(everything(policies), holds);
      assert.throws(
        () => everything(policies),
        (error) => error instanceof FairleadError && holds.refused.test(error.message),
      );
    });
  }
});
