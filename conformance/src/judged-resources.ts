import type { JsonObject } from "@bufbuild/protobuf";

/** A resource that Envoy and our validation must judge alike. */
export interface JudgedResource {
  readonly kind: "cluster" | "listener" | "route";
  readonly name: string;
  readonly json: JsonObject;
  /** Why we refuse it although Envoy takes it. */
  readonly stricter?: string | undefined;
}

const toA: JsonObject = { match: { prefix: "/" }, route: { cluster: "a" } };
const routes = (...of: JsonObject[]): JsonObject => ({
  name: "r",
  virtualHosts: [{ name: "h", domains: ["*"], routes: of }],
});
const hosts = (...domains: string[][]): JsonObject => ({
  name: "r",
  virtualHosts: domains.map((each, index) => ({ name: `h${index}`, domains: each, routes: [toA] })),
});
const routed = (more: JsonObject): JsonObject => routes({ match: { prefix: "/" }, route: { cluster: "a", ...more } });
const matched = (match: JsonObject): JsonObject =>
  routes({ match: { prefix: "/", ...match }, route: { cluster: "a" } });
const weighted = (...weights: number[]): JsonObject =>
  routes({
    match: { prefix: "/" },
    route: { weightedClusters: { clusters: weights.map((weight) => ({ name: "a", weight })) } },
  });
const adding = (key: string, value: string): JsonObject =>
  routes({ ...toA, requestHeadersToAdd: [{ header: { key, value } }] });

const routeCases: Readonly<Record<string, JsonObject>> = {
  "a plain route": routes(toA),
  "domains with stars": hosts(["a", "*.a"], ["*"], ["b.*"]),
  "a domain twice, in another case": hosts(["a"], ["A"]),
  "a star in the middle": hosts(["a.*.b"]),
  "a star at both ends": hosts(["*a*"]),
  "no domain": hosts([]),
  "two virtual hosts of one name": {
    name: "r",
    virtualHosts: ["a", "b"].map((domain) => ({ name: "h", domains: [domain], routes: [toA] })),
  },
  weights: weighted(1, 0, 99),
  "weights of nothing": weighted(0, 0),
  "too large weights": weighted(4_000_000_000, 4_000_000_000),
  "a route without a match": routes({ route: { cluster: "a" } }),
  "a route without an action": routes({ match: { prefix: "/" } }),
  "a pattern": matched({ headers: [{ name: "x", stringMatch: { safeRegex: { regex: "a+" } } }] }),
  "a pattern that RE2 does not know": matched({
    headers: [{ name: "x", stringMatch: { safeRegex: { regex: "(?=a)" } } }],
  }),
  "an open bracket": matched({ headers: [{ name: "x", stringMatch: { safeRegex: { regex: "(a" } } }] }),
  "a header without a name": matched({ headers: [{ name: "", presentMatch: true }] }),
  "a parameter without a name": matched({ queryParameters: [{ name: "", presentMatch: true }] }),
  "a path prefix with a slash at its end": routes({
    match: { pathSeparatedPrefix: "/a/" },
    route: { cluster: "a" },
  }),
  "a path prefix": routes({ match: { pathSeparatedPrefix: "/a" }, route: { cluster: "a" } }),
  "two ways to rewrite": routed({
    prefixRewrite: "/b",
    regexRewrite: { pattern: { regex: "a" }, substitution: "b" },
  }),
  "a cluster without a name": routes({ match: { prefix: "/" }, route: { cluster: "" } }),
  "a time-out below 0": routed({ timeout: "-1s" }),
  "pauses of retries": routed({ retryPolicy: { retryBackOff: { baseInterval: "0.1s", maxInterval: "1s" } } }),
  "the longest pause below the first": routed({
    retryPolicy: { retryBackOff: { baseInterval: "1s", maxInterval: "0.1s" } },
  }),
  "a cookie's hash": routed({ hashPolicy: [{ cookie: { name: "c", ttl: "1s", path: "/" } }] }),
  "a hash of nothing": routed({ hashPolicy: [{}] }),
  "a header that is added": adding("x-a", "v"),
  "a pseudo header that is added": adding(":path", "/b"),
  "a header name with a space": adding("x a", "v"),
  "a header value with a line break": adding("x-a", "v\r\nx-b: c"),
  "a host that is removed": routes({ ...toA, requestHeadersToRemove: ["host"] }),
  "an answer": routes({ match: { prefix: "/" }, directResponse: { status: 200 } }),
  "an answer of no status": routes({ match: { prefix: "/" }, directResponse: { status: 99 } }),
  "a copy to no cluster": routed({ requestMirrorPolicies: [{ cluster: "" }] }),
  "a share of copies above all": routed({
    requestMirrorPolicies: [{ cluster: "a", runtimeFraction: { defaultValue: { numerator: 101 } } }],
  }),
};

const address: JsonObject = { socketAddress: { address: "127.0.0.1", portValue: 0 } };
const type = "type.googleapis.com/envoy.extensions.";
const router: JsonObject = { name: "router", typedConfig: { "@type": `${type}filters.http.router.v3.Router` } };
const cors: JsonObject = { name: "cors", typedConfig: { "@type": `${type}filters.http.cors.v3.Cors` } };
const manager = (httpFilters: JsonObject[], more: JsonObject = { routeConfig: { name: "r" } }): JsonObject => ({
  name: "m",
  typedConfig: {
    "@type": `${type}filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: "m",
    httpFilters,
    ...more,
  },
});
const tcp = (more: JsonObject): JsonObject => ({
  name: "t",
  typedConfig: { "@type": `${type}filters.network.tcp_proxy.v3.TcpProxy`, statPrefix: "t", ...more },
});
const listener = (...filterChains: JsonObject[]): JsonObject => ({ name: "l", address, filterChains });
const secured = (commonTlsContext: JsonObject): JsonObject =>
  listener({
    filters: [manager([router])],
    transportSocket: {
      name: "tls",
      typedConfig: { "@type": `${type}transport_sockets.tls.v3.DownstreamTlsContext`, commonTlsContext },
    },
  });

const listenerCases: Readonly<Record<string, JsonObject>> = {
  "a connection manager": listener({ filters: [manager([cors, router])] }),
  "no filters": listener({ filters: [manager([])] }),
  "the router is not last": listener({ filters: [manager([router, cors])] }),
  "two routers": listener({ filters: [manager([router, { ...router, name: "again" }])] }),
  "no routes": listener({ filters: [manager([router], {})] }),
  "routes whose hosts are there twice": listener({
    filters: [manager([router], { routeConfig: hosts(["a"], ["a"]) })],
  }),
  "no chain": listener(),
  "chains for the same connections": listener({ filters: [manager([router])] }, { filters: [manager([router])] }),
  "no address": { name: "l", filterChains: [{ filters: [manager([router])] }] },
  "a port that is none": {
    ...listener({ filters: [manager([router])] }),
    address: { socketAddress: { address: "127.0.0.1", portValue: 70_000 } },
  },
  "connections to a cluster": listener({ filters: [tcp({ cluster: "a" })] }),
  "connections to nowhere": listener({ filters: [tcp({})] }),
  "connections by weight": listener({
    filters: [tcp({ weightedClusters: { clusters: [{ name: "a", weight: 1 }] } })],
  }),
  "connections by a weight of 0": listener({
    filters: [tcp({ weightedClusters: { clusters: [{ name: "a", weight: 0 }] } })],
  }),
  "connections by no cluster's weight": listener({ filters: [tcp({ weightedClusters: { clusters: [] } })] }),
  "TLS without a certificate": secured({}),
  "a certificate without a key": secured({ tlsCertificates: [{ certificateChain: { inlineString: "x" } }] }),
};

const cluster = (more: JsonObject): JsonObject => ({ name: "c", connectTimeout: "1s", type: "STATIC", ...more });
const assigned = (...endpoints: JsonObject[]): JsonObject =>
  cluster({ loadAssignment: { clusterName: "c", endpoints } });
const at = (portValue: number, weight = 1): JsonObject => ({
  loadBalancingWeight: weight,
  endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue } } },
});
const inZone = (zone: string, ...lbEndpoints: JsonObject[]): JsonObject => ({ locality: { zone }, lbEndpoints });
const upstream = (sni: string): JsonObject =>
  cluster({
    transportSocket: {
      name: "tls",
      typedConfig: { "@type": `${type}transport_sockets.tls.v3.UpstreamTlsContext`, sni },
    },
  });

const clusterCases: Readonly<Record<string, JsonObject>> = {
  endpoints: assigned(inZone("a", at(1), at(2))),
  "an endpoint of the weight 0": assigned(inZone("a", at(1, 0))),
  "too much weight": assigned(inZone("a", at(1, 4_000_000_000), at(2, 4_000_000_000))),
  "a gap between priorities": assigned({ ...inZone("a", at(1)), priority: 1 }),
  "no name": { ...cluster({}), name: "" },
  "no time to connect": cluster({ connectTimeout: "0s" }),
  "EDS without a source": cluster({ type: "EDS" }),
  "a ring": cluster({ lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize: 64 } }),
  "a ring whose least size is above its largest": cluster({
    lbPolicy: "RING_HASH",
    ringHashLbConfig: { minimumRingSize: 64, maximumRingSize: 32 },
  }),
  "a ring that is too large": cluster({ lbPolicy: "RING_HASH", ringHashLbConfig: { maximumRingSize: 8_388_609 } }),
  "a server name": upstream("a.example"),
  "a server name that is too long": upstream("a".repeat(256)),
};

/** By kind and name. gRPC is a client of the same resources: gRFC A27 and A28 say what it refuses as a whole. */
const stricter: ReadonlyMap<string, string> = new Map([
  ["route: a star in the middle", "gRPC refuses it (A27: a wildcard stands at one end)"],
  ["route: a star at both ends", "gRPC refuses it (A27: a wildcard stands at one end)"],
  ["route: two virtual hosts of one name", "their statistics, and what is said of them by name, would be one"],
  ["route: a header name with a space", "RFC 9110 §5.1: other proxies refuse the request"],
  ["route: a share of copies above all", "it cannot be what was meant"],
  ["listener: no filters", "no request would be answered"],
  ["cluster: too much weight", "gRPC refuses it (A27: the sum fits 32 bits)"],
  ["cluster: a gap between priorities", "gRPC refuses it (A27: priorities have no gap)"],
]);

function ofKind(kind: JudgedResource["kind"], cases: Readonly<Record<string, JsonObject>>): JudgedResource[] {
  return Object.entries(cases).map(([name, json]) => ({
    kind,
    name,
    json,
    stricter: stricter.get(`${kind}: ${name}`),
  }));
}

/** Each is good, or breaks one rule. */
export const judgedResources: readonly JudgedResource[] = [
  ...ofKind("route", routeCases),
  ...ofKind("listener", listenerCases),
  ...ofKind("cluster", clusterCases),
];
