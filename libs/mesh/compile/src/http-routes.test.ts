import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { meshOf, policy, routesTo } from "./testing/mesh-under-test.ts";

const to = "route: [{destination: {host: shop.A}}]";

/** The first route of shop.A with one route of http that has these fields, and its subsets. */
function routeWith(fields: string): { readonly [field: string]: JsonValue } {
  const mesh = meshOf({
    policies: `${policy("VirtualService", "vs", `{hosts: [shop.A], http: [{${fields}}]}`)}${policy("DestinationRule", "dr", "{host: shop.A, subsets: [{name: v1}, {name: v2}]}")}`,
  });
  assert.deepEqual(mesh.rejected, []);
  return routesTo(mesh, "shop.A")![0]!;
}

const regex = (text: string) => ({ stringMatch: { safeRegex: { regex: text } } });
const million = (numerator: number) => ({ numerator, denominator: "MILLION" });

const matches: readonly (readonly [yaml: string, match: JsonValue])[] = [
  ["uri: {exact: /x}", { path: "/x" }],
  ["uri: {prefix: /x}", { prefix: "/x" }],
  ["uri: {regex: '/x.*'}", { safeRegex: { regex: "/x.*" } }],
  ["uri: {exact: /X}, ignoreUriCase: true", { path: "/X", caseSensitive: false }],
  ["scheme: {exact: https}", { prefix: "/", headers: [{ name: ":scheme", stringMatch: { exact: "https" } }] }],
  ["method: {exact: GET}", { prefix: "/", headers: [{ name: ":method", stringMatch: { exact: "GET" } }] }],
  ["authority: {prefix: a}", { prefix: "/", headers: [{ name: ":authority", stringMatch: { prefix: "a" } }] }],
  ["port: 80", { prefix: "/", headers: [{ name: ":authority", ...regex("[^:]*(:80)?") }] }],
  ["port: 8080", { prefix: "/", headers: [{ name: ":authority", ...regex(".*:8080") }] }],
  ["headers: {X-B: {exact: c}}", { prefix: "/", headers: [{ name: "x-b", stringMatch: { exact: "c" } }] }],
  ["headers: {x-b: {}}", { prefix: "/", headers: [{ name: "x-b", presentMatch: true }] }],
  ["headers: {x-b: {regex: '*'}}", { prefix: "/", headers: [{ name: "x-b", presentMatch: true }] }],
  ["withoutHeaders: {x-b: {}}", { prefix: "/", headers: [{ name: "x-b", presentMatch: true, invertMatch: true }] }],
  [
    "withoutHeaders: {x-b: {exact: c}}",
    {
      prefix: "/",
      headers: [{ name: "x-b", stringMatch: { exact: "c" }, invertMatch: true, treatMissingHeaderAsEmpty: true }],
    },
  ],
  ["queryParams: {q: {exact: r}}", { prefix: "/", queryParameters: [{ name: "q", stringMatch: { exact: "r" } }] }],
  ["queryParams: {q: {}}", { prefix: "/", queryParameters: [{ name: "q", presentMatch: true }] }],
  ["gateways: [mesh]", { prefix: "/" }],
];

describe("a match", () => {
  for (const [yaml, expected] of matches)
    test(yaml, () => assert.deepEqual(routeWith(`match: [{${yaml}}], ${to}`)["match"], expected));

  test("statPrefix and name are the route's", () => {
    assert.partialDeepStrictEqual(routeWith(`name: r, match: [{name: m, statPrefix: s}], ${to}`), {
      name: "r.m",
      statPrefix: "s",
    });
  });
});

const previousHosts = [{ name: "envoy.retry_host_predicates.previous_hosts" }];
const fault = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const cors = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy";

/** Fields of a route, and what of the rendered route they have to give. */
const fields: readonly (readonly [yaml: string, route: JsonValue])[] = [
  [`${to}, timeout: 1m30s`, { route: { timeout: "90s" } }],
  [
    "route: [{destination: {host: shop.A, subset: v1}, weight: 9}, {destination: {host: shop.A, subset: v2}, weight: 1}, {destination: {host: shop.B}, weight: 0}]",
    {
      route: {
        weightedClusters: {
          clusters: [
            { name: "outbound|http|v1|shop.A", weight: 9 },
            { name: "outbound|http|v2|shop.A", weight: 1 },
          ],
        },
      },
    },
  ],
  [`${to}, retries: {attempts: 5}`, { route: { retryPolicy: { numRetries: 5, retryHostPredicate: previousHosts } } }],
  [`${to}, retries: {attempts: 1, perTryTimeout: 2s}`, { route: { retryPolicy: { perTryTimeout: "2s" } } }],
  [
    `${to}, retries: {attempts: 1, retryOn: "gateway-error,503"}`,
    { route: { retryPolicy: { retryOn: "gateway-error,retriable-status-codes", retriableStatusCodes: [503] } } },
  ],
  [
    `${to}, retries: {attempts: 1, retryRemoteLocalities: true}`,
    {
      route: {
        retryPolicy: {
          retryPriority: { name: "envoy.retry_priorities.previous_priorities", typedConfig: { updateFrequency: 2 } },
        },
      },
    },
  ],
  [
    `${to}, retries: {attempts: 1, backoff: 50ms}`,
    { route: { retryPolicy: { retryBackOff: { baseInterval: "0.050s" } } } },
  ],
  [`${to}, rewrite: {uri: /v2}`, { route: { prefixRewrite: "/v2" } }],
  [
    `match: [{uri: {prefix: /a.b}}], ${to}, rewrite: {uri: /}`,
    { route: { regexRewrite: { pattern: { regex: "^/a\\.b/?(.*)" }, substitution: "/\\1" } } },
  ],
  [
    `match: [{uri: {regex: /a.*}}], ${to}, rewrite: {uri: /b}`,
    { route: { regexRewrite: { pattern: { regex: "/a.*" }, substitution: "/b" } } },
  ],
  [
    `${to}, rewrite: {uriRegexRewrite: {match: "^/a/(.*)$", rewrite: '/b/\\1'}}`,
    { route: { regexRewrite: { pattern: { regex: "^/a/(.*)$" }, substitution: "/b/\\1" } } },
  ],
  [`${to}, rewrite: {authority: other}`, { route: { hostRewriteLiteral: "other" } }],
  [
    "redirect: {uri: /y, authority: z, port: 8443, scheme: https, redirectCode: 307}",
    {
      redirect: {
        pathRedirect: "/y",
        hostRedirect: "z",
        portRedirect: 8443,
        schemeRedirect: "https",
        responseCode: "TEMPORARY_REDIRECT",
      },
    },
  ],
  ["redirect: {scheme: https, derivePort: FROM_PROTOCOL_DEFAULT}", { redirect: { portRedirect: 443 } }],
  ["redirect: {authority: z, derivePort: FROM_REQUEST_PORT}", { redirect: { hostRedirect: "z" } }],
  ["redirect: {uri: '%PREFIX()%/y'}", { redirect: { prefixRewrite: "/y" } }],
  [
    "directResponse: {status: 503, body: {string: closed}}",
    { directResponse: { status: 503, body: { inlineString: "closed" } } },
  ],
  [
    "directResponse: {status: 200, body: {bytes: AAE=}}",
    { directResponse: { status: 200, body: { inlineBytes: "AAE=" } } },
  ],
  [
    `${to}, fault: {delay: {fixedDelay: 5s, percentage: {value: 0.1}}, abort: {httpStatus: 500, percent: 25}}`,
    {
      typedPerFilterConfig: {
        "envoy.filters.http.fault": {
          "@type": fault,
          delay: { fixedDelay: "5s", percentage: million(1000) },
          abort: { httpStatus: 500, percentage: million(250_000) },
        },
      },
    },
  ],
  [
    `${to}, fault: {abort: {grpcStatus: UNAVAILABLE}}`,
    {
      typedPerFilterConfig: {
        "envoy.filters.http.fault": { abort: { grpcStatus: 14, percentage: million(1_000_000) } },
      },
    },
  ],
  [`${to}, mirror: {host: shop.B}`, { route: { requestMirrorPolicies: [{ cluster: "outbound|http||shop.B" }] } }],
  [
    `${to}, mirror: {host: shop.A, subset: v2}, mirrorPercentage: {value: 12.5}`,
    {
      route: {
        requestMirrorPolicies: [
          { cluster: "outbound|http|v2|shop.A", runtimeFraction: { defaultValue: million(125_000) } },
        ],
      },
    },
  ],
  [
    `${to}, mirrors: [{destination: {host: shop.B}, percentage: {value: 1}}, {destination: {host: shop.A}}]`,
    {
      route: {
        requestMirrorPolicies: [
          { cluster: "outbound|http||shop.B", runtimeFraction: { defaultValue: million(10_000) } },
          { cluster: "outbound|http||shop.A" },
        ],
      },
    },
  ],
  [
    `${to}, corsPolicy: {allowOrigins: [{exact: 'https://a.com'}], allowMethods: [GET, POST], allowHeaders: [x-a], exposeHeaders: [x-b], maxAge: 24h, allowCredentials: true, unmatchedPreflights: IGNORE}`,
    {
      typedPerFilterConfig: {
        "envoy.filters.http.cors": {
          "@type": cors,
          allowOriginStringMatch: [{ exact: "https://a.com" }],
          allowMethods: "GET,POST",
          allowHeaders: "x-a",
          exposeHeaders: "x-b",
          maxAge: "86400",
          allowCredentials: true,
          forwardNotMatchingPreflights: false,
        },
      },
    },
  ],
  [
    `${to}, headers: {request: {set: {x-a: "1", Host: h}, add: {x-b: "2"}, remove: [x-c]}, response: {set: {x-d: "3"}, remove: [x-e]}}`,
    {
      requestHeadersToAdd: [
        { header: { key: "x-a", value: "1" }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" },
        { header: { key: "x-b", value: "2" } },
      ],
      requestHeadersToRemove: ["x-c"],
      responseHeadersToAdd: [{ header: { key: "x-d", value: "3" }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }],
      responseHeadersToRemove: ["x-e"],
      route: { hostRewriteLiteral: "h" },
    },
  ],
  [
    "route: [{destination: {host: shop.A}, weight: 1, headers: {request: {set: {:authority: h, x-a: b}}}}, {destination: {host: shop.B}, weight: 1}]",
    {
      route: {
        weightedClusters: {
          clusters: [
            { hostRewriteLiteral: "h", requestHeadersToAdd: [{ header: { key: "x-a", value: "b" } }] },
            { name: "outbound|http||shop.B" },
          ],
        },
      },
    },
  ],
  [
    "route: [{destination: {host: shop.A}, headers: {response: {remove: [x-a]}}}]",
    { responseHeadersToRemove: ["x-a"] },
  ],
];

describe("a route's field", () => {
  for (const [yaml, expected] of fields) test(yaml, () => assert.partialDeepStrictEqual(routeWith(yaml), expected));

  test("no repetition with 0 attempts, and any host with retryIgnorePreviousHosts off", () => {
    assert.equal(JSON.stringify(routeWith(`${to}, retries: {attempts: 0}`)).includes("retryPolicy"), false);
    const again = JSON.stringify(routeWith(`${to}, retries: {attempts: 1, retryIgnorePreviousHosts: false}`));
    assert.equal(again.includes("previous_hosts"), false);
  });
});

test("a hash of the destination's rule is on the route, and repetitions stay with the key's host", () => {
  const mesh = meshOf({
    policies:
      policy(
        "DestinationRule",
        "dr",
        "{host: shop.A, trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: c, path: /, ttl: 0s}}}}}",
      ) + policy("VirtualService", "vs", `{hosts: [shop.B], http: [{${to}}]}`),
  });
  for (const host of ["shop.A", "shop.B"]) {
    const [route] = routesTo(mesh, host)!;
    assert.partialDeepStrictEqual(route, { route: { hashPolicy: [{ cookie: { name: "c", path: "/", ttl: "0s" } }] } });
    assert.equal(JSON.stringify(route).includes("previous_hosts"), false);
  }
});

test("a long answer is announced to proxies, which take no more than 4096 bytes otherwise", () => {
  const limit = (bytes: number) =>
    meshOf({
      policies: policy(
        "VirtualService",
        "vs",
        `{hosts: [shop.A], http: [{directResponse: {status: 200, body: {string: ${"x".repeat(bytes)}}}}]}`,
      ),
    });
  const text = (bytes: number) => Buffer.from(limit(bytes).resources.get("rds/everything/outbound")!.body).length;
  // Its field and value: three bytes more than the body's own.
  assert.ok(text(4097) - text(4096) > 3);
});
