import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { HealthCheck_HttpHealthCheckSchema as HttpCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { type VirtualHostSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { CodecClientType } from "@fairlead/envoy-api/envoy/type/v3/http_pb.js";
import { readCluster } from "./cluster.ts";
import { readLoadAssignment } from "./load-assignment.ts";
import { readRouteConfiguration } from "./route-configuration.ts";

type ClusterInit = Extract<MessageInitShape<typeof ClusterSchema>, { readonly $typeName?: undefined }>;
type HostInit = Extract<MessageInitShape<typeof VirtualHostSchema>, { readonly $typeName?: undefined }>;
type RouteInit = Extract<NonNullable<HostInit["routes"]>[number], { readonly $typeName?: undefined }>;

const HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const http3 = create(HttpProtocolOptionsSchema, {
  upstreamProtocolOptions: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http3ProtocolOptions", value: {} } },
  },
});
const eds = { edsConfig: { configSourceSpecifier: { case: "ads", value: {} } } } as const;

const second = { seconds: 1n };
const check = { timeout: second, interval: second, unhealthyThreshold: 1, healthyThreshold: 1 };

type HttpCheckInit = Extract<MessageInitShape<typeof HttpCheckSchema>, { readonly $typeName?: undefined }>;

function httpCheck(value: HttpCheckInit): ClusterInit {
  const healthChecker = { case: "httpHealthCheck", value: { path: "/", ...value } } as const;
  return { healthChecks: [{ ...check, healthChecker }] };
}

const clusters: readonly (readonly [ClusterInit, RegExp])[] = [
  [{ name: "" }, /^name: is empty/],
  [
    { clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST } },
    /^lb_policy: is CLUSTER_PROVIDED in a cluster of type ORIGINAL_DST/,
  ],
  [{ edsClusterConfig: undefined }, /^eds_cluster_config: is missing/],
  [{ edsClusterConfig: {} }, /^eds_cluster_config\.eds_config: only ads/],
  [{ clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STRICT_DNS } }, /^load_assignment: is missing/],
  [{ outlierDetection: { monitors: [{}] } }, /^outlier_detection\.monitors: is not supported/],
  [{ healthChecks: [{}] }, /^health_checks\[0\]\.interval: is missing/],
  [{ healthChecks: [{}, {}] }, /^health_checks: more than one is not supported/],
  [
    { healthChecks: [{ ...check, healthChecker: { case: "grpcHealthCheck", value: {} } }] },
    /^health_checks\[0\]\.grpc_health_check: is for clusters whose hosts speak HTTP\/2/,
  ],
  [
    httpCheck({ codecClientType: CodecClientType.HTTP3 }),
    /^health_checks\[0\]\.http_health_check\.codec_client_type: HTTP3 is not supported/,
  ],
  [
    httpCheck({ requestHeadersToAdd: [{ header: { key: "a", value: "%PROTOCOL%" } }] }),
    /^health_checks\[0\]\.http_health_check\.request_headers_to_add\[0\]\.header\.value: has a command operator/,
  ],
  [
    httpCheck({ expectedStatuses: [{ start: 300n, end: 200n }] }),
    /^health_checks\[0\]\.http_health_check\.expected_statuses\[0\]: 300 to 200 is no range/,
  ],
  [httpCheck({ receive: [{}] }), /^health_checks\[0\]\.http_health_check\.receive: is not supported/],
  [
    { lbSubsetConfig: { subsetSelectors: [{ keys: ["a"] }], metadataFallbackPolicy: 1 } },
    /^lb_subset_config\.metadata_fallback_policy: is not supported/,
  ],
  [{ transportSocket: { name: "tls" } }, /^transport_socket\.typed_config: is missing/],
  [
    { circuitBreakers: { perHostThresholds: [{ maxRetries: 1 }] } },
    /^circuit_breakers\.per_host_thresholds\[0\]\.max_retries/,
  ],
  [
    { typedExtensionProtocolOptions: { [HTTP]: anyPack(HttpProtocolOptionsSchema, http3) } },
    /HTTP\/3 is not supported/,
  ],
  [{ trackClusterStats: { timeoutBudgets: true } }, /^track_cluster_stats\.timeout_budgets: is not supported/],
  [{ typedExtensionProtocolOptions: { other: {} } }, /other is not supported/],
  [{ connectTimeout: { seconds: -1n } }, /^connect_timeout: is negative/],
];

test("a cluster that this proxy cannot be is refused, with the field", () => {
  const good: ClusterInit = {
    name: "c",
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: eds,
  };
  assert.deepEqual(readCluster(create(ClusterSchema, good)).discovery, { kind: "eds", name: "c" });
  for (const [init, message] of clusters) {
    assert.throws(() => readCluster(create(ClusterSchema, { ...good, ...init })), { message });
  }
});

test("an endpoint must be an IP address with a port and a weight", () => {
  const endpoint = (address: string, portValue: number, weight: number, priority = 0): void => {
    const socket = { address, portSpecifier: { case: "portValue", value: portValue } } as const;
    const value = { address: { address: { case: "socketAddress", value: socket } } } as const;
    const lbEndpoints = [{ hostIdentifier: { case: "endpoint", value }, loadBalancingWeight: weight }] as const;
    readLoadAssignment(
      create(ClusterLoadAssignmentSchema, { endpoints: [{ priority, lbEndpoints: [...lbEndpoints] }] }),
    );
  };
  endpoint("::1", 1, 1);
  assert.throws(
    () => endpoint("example.org", 1, 1),
    /endpoints\[0\]\.lb_endpoints\[0\]\.endpoint\.address\.socket_address\.address/,
  );
  assert.throws(() => endpoint("127.0.0.1", 70_000, 1), /port_value: is not a port/);
  assert.throws(() => endpoint("127.0.0.1", 1, 0), /load_balancing_weight: is less than 1/);
  assert.throws(() => endpoint("127.0.0.1", 1, 1, 129), /endpoints\[0\]\.priority: is more than 128/);
});

const prefix = { pathSpecifier: { case: "prefix", value: "/" } } as const;
const toC = { clusterSpecifier: { case: "cluster", value: "c" } } as const;

function forward(more: object): RouteInit {
  return { match: prefix, action: { case: "route", value: { ...toC, ...more } } };
}

test("a field that is newer than this proxy is refused by its message and number", () => {
  const bytes = toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name: "r" }));
  // Field 900, a varint.
  const newer = fromBinary(RouteConfigurationSchema, Buffer.concat([bytes, Buffer.from([0xa0, 0x38, 0x01])]));
  assert.throws(() => readRouteConfiguration(newer), {
    message: /^field 900 of envoy\.config\.route\.v3\.RouteConfiguration: is newer than this proxy/,
  });
});

const routesRefused: readonly (readonly [RouteInit, RegExp])[] = [
  [{ match: prefix }, /routes\[0\]: has none of route, redirect, direct_response/],
  [{ ...forward({}), match: undefined }, /routes\[0\]\.match: is missing/],
  [{ ...forward({}), match: { ...prefix, tlsContext: {} } }, /match\.tls_context: is not supported/],
  [
    forward({ requestMirrorPolicies: [{ cluster: "c", clusterHeader: "d" }] }),
    /request_mirror_policies\[0\]\.cluster_header: is set together with cluster/,
  ],
  [forward({ hashPolicy: [{}] }), /route\.hash_policy\[0\]: has none of header/],
  [forward({ retryPolicy: { retryOn: "5xx,often" } }), /retry_policy\.retry_on: often is not supported/],
  [forward({ retryPolicy: { retryHostPredicate: [{ name: "x" }] } }), /retry_host_predicate\[0\]: x is not supported/],
  [
    forward({ rateLimits: [{ actions: [{ actionSpecifier: { case: "sourceCluster", value: {} } }] }] }),
    /route\.rate_limits\[0\]\.actions\[0\]\.source_cluster: is not supported/,
  ],
  [
    forward({ internalRedirectPolicy: { predicates: [{ name: "safe" }] } }),
    /internal_redirect_policy\.predicates: is not supported/,
  ],
  [
    forward({ internalRedirectPolicy: { responseHeadersToCopy: ["Host"] } }),
    /internal_redirect_policy\.response_headers_to_copy\[0\]: is not a header/,
  ],
  [forward({ rateLimits: [{ stage: 11, actions: [{}] }] }), /rate_limits\[0\]\.stage: is more than 10/],
  [forward({ prefixRewrite: "/a b" }), /route\.prefix_rewrite: holds a character/],
  [
    forward({ hostRewriteSpecifier: { case: "hostRewriteLiteral", value: "a\r\nb" } }),
    /host_rewrite_literal: .* is not a host/,
  ],
  [
    forward({ clusterSpecifier: { case: "weightedClusters", value: { clusters: [{ name: "c", weight: 0 }] } } }),
    /the sum of the weights is 0/,
  ],
  [
    { ...forward({}), requestHeadersToAdd: [{ header: { key: "x", value: "%NO_SUCH_OPERATOR%" } }] },
    /command operator that is not supported/,
  ],
  [
    { ...forward({}), requestHeadersToAdd: [{ header: { key: "x", value: "a\r\nb" } }] },
    /header\.value: holds a character/,
  ],
  [{ ...forward({}), requestHeadersToAdd: [{ header: { key: "Host", value: "a" } }] }, /host may not be changed/],
  [{ ...forward({}), responseHeadersToRemove: ["Content-Length"] }, /content-length may not be changed/],
  [{ ...forward({}), typedPerFilterConfig: { x: {} } }, /typed_per_filter_config\[x\]:  is not supported/],
];

test("a route that this proxy cannot follow is refused, with the field", () => {
  for (const [route, message] of routesRefused) {
    const host: HostInit = { name: "v", domains: ["*"], routes: [route] };
    assert.throws(() => readRouteConfiguration(create(RouteConfigurationSchema, { name: "r", virtualHosts: [host] })), {
      message,
    });
  }
  const percent = forward({});
  const add = [{ header: { key: "X", value: "100%%" } }];
  const good: HostInit = { name: "v", domains: ["*"], routes: [{ ...percent, requestHeadersToAdd: add }] };
  readRouteConfiguration(create(RouteConfigurationSchema, { name: "r", virtualHosts: [good] }));
});
