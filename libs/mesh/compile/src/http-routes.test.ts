import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { meshOf, type MeshParts, policy, routesTo, virtualHosts } from "./testing/mesh-under-test.ts";

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
  for (const [yaml, expected] of fields)
    test(yaml, () => assert.partialDeepStrictEqual(routeWith(yaml), expected as Record<string, JsonValue>));

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

describe("who calls", () => {
  const nodes: MeshParts["nodes"] & object = [
    { id: "a", outboundPort: 1, labels: { app: "a" } },
    { id: "b", outboundPort: 1, labels: { app: "b", namespace: "team" } },
    { id: "c", outboundPort: 1, labels: {} },
  ];
  const first = (spec: string, namespace?: string) => {
    const mesh = meshOf({ nodes, policies: policy("VirtualService", "vs", spec, namespace) });
    assert.deepEqual(mesh.rejected, []);
    return nodes.map(({ id }) => (routesTo(mesh, "shop.A", id)![0]!["name"] ?? "none") as string);
  };

  test("sourceLabels", () => {
    const spec = `{hosts: [shop.A], http: [{name: x, match: [{sourceLabels: {app: a}}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["x", "y", "y"]);
  });

  test("sourceNamespace, by the label namespace", () => {
    const spec = `{hosts: [shop.A], http: [{name: x, match: [{sourceNamespace: team}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["y", "x", "y"]);
  });

  test("exportTo", () => {
    assert.deepEqual(first(`{hosts: [shop.A], exportTo: [team], http: [{name: x, ${to}}]}`), [
      "default",
      "x",
      "default",
    ]);
    assert.deepEqual(first(`{hosts: [shop.A], exportTo: ["."], http: [{name: x, ${to}}]}`, "team"), [
      "default",
      "x",
      "default",
    ]);
  });

  test("gateways of a match that are not the mesh's are not for sidecars", () => {
    const spec = `{hosts: [shop.A], gateways: [mesh, g], http: [{name: x, match: [{gateways: [g]}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["y", "y", "y"]);
  });
});

describe("several VirtualServices", () => {
  test("of one host are merged by namespace and name; what comes after a catch-all is reported, and the rest is in force", () => {
    const mesh = meshOf({
      policies:
        policy("VirtualService", "b", `{hosts: [shop.A], http: [{name: b, ${to}}]}`) +
        policy("VirtualService", "a", `{hosts: [shop.A], http: [{name: a, match: [{uri: {prefix: /a}}], ${to}}]}`) +
        policy("VirtualService", "c", `{hosts: [shop.A], http: [{name: c, ${to}}]}`),
    });
    assert.deepEqual(
      routesTo(mesh, "shop.A")!.map(({ name }) => name),
      ["a", "b", "c"],
    );
    assert.deepEqual(
      mesh.rejected.map(({ code, provenance }) => [code, provenance.key, provenance.line]),
      [["FL_POLICY_CONFLICT", "VirtualService/default/c", 12]],
    );
  });

  test("a wildcard is for the hosts below it that have none of their own", () => {
    const mesh = meshOf({
      policies:
        policy("VirtualService", "wide", `{hosts: ["*.w"], http: [{name: wide, ${to}}]}`) +
        policy("VirtualService", "own", `{hosts: [x.w], http: [{name: own, ${to}}]}`),
      services: ["shop.A", "x.w", "y.w"],
    });
    assert.deepEqual(
      ["x.w", "y.w", "shop.A"].map((host) => routesTo(mesh, host)![0]!["name"]),
      ["own", "wide", "default"],
    );
  });
});

describe("a host", () => {
  const cases: readonly (readonly [host: string, namespace: string, service: string])[] = [
    ["SHOP.a", "default", "shop.A"],
    ["reviews", "default", "reviews"],
    ["reviews.prod.svc.cluster.local", "default", "reviews"],
    ["reviews", "shop", "shop.Reviews"],
    ["reviews.shop.svc.cluster.local", "default", "shop.Reviews"],
  ];
  for (const [host, namespace, service] of cases) {
    test(`${host} in ${namespace} is ${service}`, () => {
      const mesh = meshOf({
        services: [service],
        policies: policy(
          "VirtualService",
          "vs",
          `{hosts: [${host}], http: [{name: x, route: [{destination: {host: ${host}}}]}]}`,
          namespace,
        ),
      });
      assert.deepEqual(mesh.rejected, []);
      assert.partialDeepStrictEqual(routesTo(mesh, service)![0]!, {
        name: "x",
        route: { cluster: `outbound|http||${service}` },
      });
    });
  }
});

describe("a delegate", () => {
  const root = (match: string) =>
    policy(
      "VirtualService",
      "root",
      `{hosts: [shop.A], http: [{name: r, ${match} delegate: {name: d, namespace: team}, timeout: 1s, headers: {request: {set: {x-r: r}}}}]}`,
    );
  const delegate = policy(
    "VirtualService",
    "d",
    `{http: [{name: d, match: [{uri: {prefix: /a/b}, headers: {x-h: {exact: y}}}, {uri: {prefix: /z}}], timeout: 2s, ${to}}, {name: e, ${to}}]}`,
    "team",
  );

  test("has its routes in its root's place, where both match; what it says comes first", () => {
    const mesh = meshOf({ policies: root("match: [{uri: {prefix: /a}, method: {exact: GET}}],") + delegate });
    assert.deepEqual(mesh.rejected, []);
    const routes = routesTo(mesh, "shop.A")!;
    assert.equal(routes.length, 2);
    assert.partialDeepStrictEqual(routes[0]!, {
      name: "r-d",
      match: {
        prefix: "/a/b",
        headers: [
          { name: ":method", stringMatch: { exact: "GET" } },
          { name: "x-h", stringMatch: { exact: "y" } },
        ],
      },
      route: { timeout: "2s" },
      requestHeadersToAdd: [{ header: { key: "x-r", value: "r" } }],
    });
    assert.partialDeepStrictEqual(routes[1]!, { name: "r-e", match: { prefix: "/a" }, route: { timeout: "1s" } });
  });

  test("that is not there rejects its root", () => {
    const mesh = meshOf({ policies: root("") });
    assert.deepEqual(
      mesh.rejected.map(({ code }) => code),
      ["FL_POLICY_DESTINATION_UNKNOWN"],
    );
    assert.equal(virtualHosts(mesh)[0]!.routes![0]!["name"], "default");
  });
});
