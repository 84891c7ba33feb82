import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteSchema, VirtualHostSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { parsePolicies, typedPolicy } from "@fairlead/policy";
import { requireRoutes } from "./require-routes.ts";
import { namedClusters } from "./named-clusters.ts";
import { objectsAtFault, requireValid } from "./require-valid.ts";

const provenance = [
  { kind: "service" as const, key: "http/shop.A" },
  { kind: "policy" as const, key: "VirtualService/default/vs", file: "p.yaml", line: 3 },
];

function check<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): void {
  requireValid(schema, create(schema, init), "it", provenance);
}

const match = { pathSpecifier: { case: "prefix" as const, value: "/" } };
const toA = { clusterSpecifier: { case: "cluster" as const, value: "a" } };
const route = { match, action: { case: "route" as const, value: toA } };
const weighted = (...weights: number[]) => ({
  match,
  action: {
    case: "route" as const,
    value: {
      clusterSpecifier: {
        case: "weightedClusters" as const,
        value: { clusters: weights.map((weight) => ({ name: `c${weight}`, weight })) },
      },
    },
  },
});
const added = (key: string, value: string) => ({ ...route, requestHeadersToAdd: [{ header: { key, value } }] });
const actionWith = (more: object) => ({ match, action: { case: "route" as const, value: { ...toA, ...more } } });
const hosts = (...domains: string[][]) => domains.map((each, index) => ({ name: `h${index}`, domains: each }));
const chain = (ports: number) => ({
  filterChainMatch: { destinationPort: ports },
  filters: [{ name: "f", configType: { case: "typedConfig" as const, value: {} } }],
});
const address = (portValue: number) => ({
  address: {
    case: "socketAddress" as const,
    value: { address: "10.0.0.1", portSpecifier: { case: "portValue" as const, value: portValue } },
  },
});
const endpoint = (port: number, loadBalancingWeight = 1) => ({
  loadBalancingWeight,
  hostIdentifier: { case: "endpoint" as const, value: { address: address(port) } },
});

const types = { router: RouterSchema, cors: CorsSchema };
const managerOf = (filters: readonly (keyof typeof types)[], routeConfigName = "r") =>
  create(HttpConnectionManagerSchema, {
    statPrefix: "m",
    routeSpecifier: { case: "rds" as const, value: { routeConfigName, configSource: {} } },
    httpFilters: filters.map((name) => ({
      name,
      configType: {
        case: "typedConfig" as const,
        value: anyPack(types[name], create(types[name] as typeof RouterSchema)),
      },
    })),
  });
const manager = (...filters: (keyof typeof types)[]) => anyPack(HttpConnectionManagerSchema, managerOf(filters));
const withRoutes = create(HttpConnectionManagerSchema, {
  ...managerOf(["router"]),
  routeSpecifier: {
    case: "routeConfig",
    value: create(RouteConfigurationSchema, { name: "r", virtualHosts: hosts(["a"], ["A"]) }),
  },
});
const inline = { specifier: { case: "inlineString" as const, value: "x" } };
const socket = (value: Any) => ({ name: "tls", configType: { case: "typedConfig" as const, value } });
const listenerWith = (value: Any, tls?: MessageInitShape<typeof CommonTlsContextSchema>) => ({
  name: "l",
  address: address(1),
  filterChains: [
    {
      filters: [{ name: "f", configType: { case: "typedConfig" as const, value } }],
      ...(tls === undefined
        ? {}
        : {
            transportSocket: socket(
              anyPack(DownstreamTlsContextSchema, create(DownstreamTlsContextSchema, { commonTlsContext: tls })),
            ),
          }),
    },
  ],
});

describe("what proxies would refuse", () => {
  const refused: readonly (readonly [string, () => void, RegExp])[] = [
    [
      "a domain twice, in any case",
      () => check(RouteConfigurationSchema, { name: "r", virtualHosts: hosts(["a"], ["A"]) }),
      /domain "a"/,
    ],
    [
      "a virtual host twice",
      () => check(RouteConfigurationSchema, { name: "r", virtualHosts: [...hosts(["a"]), ...hosts(["b"])] }),
      /two virtual hosts "h0"/,
    ],
    ["a virtual host without a domain", () => check(VirtualHostSchema, { name: "h" }), /no domain/],
    [
      "a * in the middle of a domain",
      () => check(VirtualHostSchema, { name: "h", domains: ["a.*.b"] }),
      /\* in the middle/,
    ],
    [
      "a route that leads nowhere",
      () => check(RouteSchema, { match, action: { case: "route", value: {} } }),
      /leads nowhere/,
    ],
    ["a route without an action", () => check(RouteSchema, { match }), /no action/],
    ["weights of 0", () => check(RouteSchema, weighted(0)), /add up to 0/],
    ["weights above uint32", () => check(RouteSchema, weighted(4_000_000_000, 500_000_000)), /at most to 4294967295/],
    ["a header name that is none", () => check(RouteSchema, added("a b", "v")), /"a b" is no header name/],
    [
      "a header that makes another request",
      () => check(RouteSchema, added(":path", "/")),
      /":path" may not be changed/,
    ],
    ["a header value with a line break", () => check(RouteSchema, added("a", "v\r\nb: c")), /a line break/],
    [
      "a header to remove that is none",
      () => check(RouteSchema, { ...route, requestHeadersToRemove: ["host"] }),
      /"host" may not be changed/,
    ],
    [
      "a pattern that RE2 does not take",
      () =>
        check(RouteSchema, { ...route, match: { pathSpecifier: { case: "safeRegex", value: { regex: "(?=a)" } } } }),
      /RE2 does not take/,
    ],
    [
      "a path rewritten twice",
      () => check(RouteSchema, actionWith({ prefixRewrite: "/b", regexRewrite: { pattern: { regex: "a" } } })),
      /rewrites the path twice/,
    ],
    ["a time-out below 0", () => check(RouteSchema, actionWith({ timeout: { seconds: -1n } })), /no duration/],
    ["a hash of nothing", () => check(RouteSchema, actionWith({ hashPolicy: [{}] })), /hashes nothing/],
    [
      "a cookie's path that ends the cookie",
      () =>
        check(
          RouteSchema,
          actionWith({ hashPolicy: [{ policySpecifier: { case: "cookie", value: { name: "c", path: "/;x" } } }] }),
        ),
      /ends the cookie/,
    ],
    [
      "an answer that is none",
      () => check(RouteSchema, { match, action: { case: "directResponse", value: { status: 99 } } }),
      /99 is no status/,
    ],
    [
      "a ring with its sizes the wrong way round",
      () =>
        check(ClusterSchema, {
          name: "c",
          lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: 9n, maximumRingSize: 8n } },
        }),
      /least size 9/,
    ],
    ["a time-out of connecting of 0", () => check(ClusterSchema, { name: "c", connectTimeout: {} }), /not above 0/],
    [
      "EDS from nowhere",
      () => check(ClusterSchema, { name: "c", clusterDiscoveryType: { case: "type", value: 3 } }),
      /does not say from where/,
    ],
    [
      "an endpoint twice",
      () =>
        check(ClusterLoadAssignmentSchema, {
          clusterName: "c",
          endpoints: [{ lbEndpoints: [endpoint(1), endpoint(1)] }],
        }),
      /10\.0\.0\.1 1 is there twice/,
    ],
    [
      "an endpoint's weight of 0",
      () => check(ClusterLoadAssignmentSchema, { clusterName: "c", endpoints: [{ lbEndpoints: [endpoint(1, 0)] }] }),
      /at least 1/,
    ],
    [
      "endpoints' weights above uint32",
      () =>
        check(ClusterLoadAssignmentSchema, {
          clusterName: "c",
          endpoints: [{ lbEndpoints: [endpoint(1, 4e9), endpoint(2, 4e9)] }],
        }),
      /8000000000/,
    ],
    [
      "a priority with none below it",
      () => check(ClusterLoadAssignmentSchema, { clusterName: "c", endpoints: [{ priority: 1 }] }),
      /no priority 0/,
    ],
    [
      "a port that is none",
      () => check(ListenerSchema, { name: "l", address: address(70_000), filterChains: [chain(1)] }),
      /70000 is no port/,
    ],
    [
      "a listener without a filter chain",
      () => check(ListenerSchema, { name: "l", address: address(1) }),
      /no filter chain/,
    ],
    [
      "two filter chains for the same connections",
      () => check(ListenerSchema, { name: "l", address: address(1), filterChains: [chain(1), chain(1)] }),
      /the same connections/,
    ],
    [
      "copies to no cluster",
      () => check(RouteSchema, actionWith({ requestMirrorPolicies: [{ cluster: "" }] })),
      /copies go to a cluster or/,
    ],
    [
      "filters behind the router",
      () => check(ListenerSchema, listenerWith(manager("router", "cors"))),
      /not the router/,
    ],
    ["no router", () => check(ListenerSchema, listenerWith(manager())), /not the router/],
    ["two routers", () => check(ListenerSchema, listenerWith(manager("router", "router"))), /"router" is there twice/],
    [
      "a filter twice",
      () => check(ListenerSchema, listenerWith(manager("cors", "cors", "router"))),
      /typed_config.*: the filter "cors" is there twice/,
    ],
    [
      "routes by RDS without a name",
      () => check(ListenerSchema, listenerWith(anyPack(HttpConnectionManagerSchema, managerOf(["router"], "")))),
      /does not say which/,
    ],
    [
      "the rules of routes within a listener",
      () => check(ListenerSchema, listenerWith(anyPack(HttpConnectionManagerSchema, withRoutes))),
      /two virtual hosts have the domain/,
    ],
    [
      "connections that lead nowhere",
      () => check(ListenerSchema, listenerWith(anyPack(TcpProxySchema, create(TcpProxySchema, { statPrefix: "t" })))),
      /leads nowhere/,
    ],
    [
      "TLS without a certificate of its own",
      () => check(ListenerSchema, listenerWith(manager("router"), {})),
      /no certificate to show/,
    ],
    [
      "a certificate without its key",
      () => check(ListenerSchema, listenerWith(manager("router"), { tlsCertificates: [{ certificateChain: inline }] })),
      /no private key/,
    ],
    [
      "a server name that is too long",
      () =>
        check(ClusterSchema, {
          name: "c",
          transportSocket: socket(
            anyPack(UpstreamTlsContextSchema, create(UpstreamTlsContextSchema, { sni: "a".repeat(256) })),
          ),
        }),
      /longer than 255 bytes/,
    ],
  ];
  for (const [what, checked, reason] of refused) {
    test(what, () => {
      assert.throws(checked, (error: { code?: string; message?: string }) => {
        assert.equal(error.code, "FL_COMPILE_INVALID");
        assert.match(error.message!, reason);
        assert.deepEqual(objectsAtFault(error), [provenance[1]]);
        return true;
      });
    });
  }
});

test("what proxies take is let through", () => {
  check(RouteConfigurationSchema, { name: "r", virtualHosts: hosts(["a", "*.a"], ["*"], ["b.*"]) });
  check(VirtualHostSchema, { name: "h", domains: ["a"], routes: [route, weighted(1, 0), added("x-a", "v ä")] });
  check(ListenerSchema, { name: "l", address: address(15_001), filterChains: [chain(1), chain(2)] });
  check(ListenerSchema, { name: "l", apiListener: {} });
  check(
    ListenerSchema,
    listenerWith(manager("cors", "router"), { tlsCertificates: [{ certificateChain: inline, privateKey: inline }] }),
  );
  check(ClusterLoadAssignmentSchema, {
    clusterName: "c",
    endpoints: [{ lbEndpoints: [endpoint(1), endpoint(2)] }, { priority: 1 }],
  });
});

test("the clusters of a virtual host: where its routes lead, and where copies go", () => {
  const mirrored = actionWith({ requestMirrorPolicies: [{ cluster: "m" }, { cluster: "a" }] });
  const answered = { match, action: { case: "directResponse" as const, value: { status: 200 } } };
  const host = create(VirtualHostSchema, { name: "h", domains: ["a"], routes: [answered, weighted(1, 0), mirrored] });
  assert.deepEqual(namedClusters(host), ["c1", "c0", "a", "m"]);
});

test("a route that proxies would refuse is found before its VirtualService is followed", () => {
  const spec = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {hosts: [shop.A], http: [{route: [{destination: {host: shop.A}, weight: 1}, {destination: {host: shop.A}, weight: 1}]}]}\n`;
  const typed = typedPolicy(parsePolicies(spec, { file: "p.yaml" }).policies[0]!.object);
  assert.ok(typed.kind === "VirtualService");
  const service = { interface: "shop.A", protocol: "http" as const, port: undefined };
  const planned = (weight: number) => ({
    route: typed.spec.http[0]!,
    destinations: [1, 2].map(() => ({ service, subset: "", headers: undefined, weight })),
    mirrors: [],
    provenance: provenance[1]!,
  });
  requireRoutes([planned(1)]);
  assert.throws(() => requireRoutes([planned(1), planned(4e9)]), /a route of VirtualService\/default\/vs: .*add up to/);
});
