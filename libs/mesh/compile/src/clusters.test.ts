import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy } from "./testing/mesh-under-test.ts";

type Json = Record<string, JsonValue>;

function clusterWith(trafficPolicy: string, service = "shop.A"): Json {
  const mesh = meshOf({
    services: [service],
    policies: policy(
      "DestinationRule",
      "dr",
      `{host: ${service.split("/").at(-1)}, trafficPolicy: {${trafficPolicy}}}`,
    ),
  });
  assert.deepEqual(mesh.rejected, []);
  const [name = "", protocol = "http"] = service.split("/").toReversed();
  return jsonOf(mesh, `cds/outbound|${protocol}||${name}`) as Json;
}

const httpOptions = (options: Json): Json => ({
  typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options },
});

/** Settings of a traffic policy, and what of the cluster they have to give. */
const settings: readonly (readonly [yaml: string, cluster: Json])[] = [
  ["loadBalancer: {simple: LEAST_REQUEST}", { lbPolicy: "LEAST_REQUEST" }],
  ["loadBalancer: {simple: LEAST_CONN}", { lbPolicy: "LEAST_REQUEST" }],
  ["loadBalancer: {simple: RANDOM}", { lbPolicy: "RANDOM" }],
  [
    "loadBalancer: {consistentHash: {httpHeaderName: x, ringHash: {minimumRingSize: 64}}}",
    { lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize: "64" } },
  ],
  [
    "loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 32}}",
    { lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize: "32" } },
  ],
  [
    "loadBalancer: {consistentHash: {httpQueryParameterName: q, maglev: {tableSize: 251}}}",
    { lbPolicy: "MAGLEV", maglevLbConfig: { tableSize: "251" } },
  ],
  [
    "loadBalancer: {simple: ROUND_ROBIN, warmupDurationSecs: 60s}",
    { roundRobinLbConfig: { slowStartConfig: { slowStartWindow: "60s" } } },
  ],
  [
    "loadBalancer: {simple: LEAST_REQUEST, warmup: {duration: 30s, minimumPercent: 5, aggression: 2}}",
    {
      leastRequestLbConfig: {
        slowStartConfig: { slowStartWindow: "30s", minWeightPercent: { value: 5 }, aggression: { defaultValue: 2 } },
      },
    },
  ],
  ["connectionPool: {tcp: {connectTimeout: 30ms}}", { connectTimeout: "0.030s" }],
  [
    "connectionPool: {tcp: {maxConnections: 7}, http: {http1MaxPendingRequests: 8, http2MaxRequests: 9, maxRetries: 3}}",
    { circuitBreakers: { thresholds: [{ maxConnections: 7, maxPendingRequests: 8, maxRequests: 9, maxRetries: 3 }] } },
  ],
  [
    "retryBudget: {percent: 25, minRetryConcurrency: 5}",
    { circuitBreakers: { thresholds: [{ retryBudget: { budgetPercent: { value: 25 }, minRetryConcurrency: 5 } }] } },
  ],
  [
    "connectionPool: {tcp: {tcpKeepalive: {probes: 3, time: 7200s, interval: 75s}}}",
    { upstreamConnectionOptions: { tcpKeepalive: { keepaliveProbes: 3, keepaliveTime: 7200, keepaliveInterval: 75 } } },
  ],
  [
    "connectionPool: {http: {maxRequestsPerConnection: 1}}",
    httpOptions({
      commonHttpProtocolOptions: { maxRequestsPerConnection: 1 },
      explicitHttpConfig: { httpProtocolOptions: {} },
    }),
  ],
  [
    "connectionPool: {http: {idleTimeout: 10s}, tcp: {maxConnectionDuration: 5m}}",
    httpOptions({ commonHttpProtocolOptions: { idleTimeout: "10s", maxConnectionDuration: "300s" } }),
  ],
  [
    "connectionPool: {http: {h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 10}}",
    httpOptions({ explicitHttpConfig: { http2ProtocolOptions: { maxConcurrentStreams: 10 } } }),
  ],
  [
    "connectionPool: {http: {useClientProtocol: true}}",
    httpOptions({ useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} } }),
  ],
  [
    "outlierDetection: {consecutive5xxErrors: 7, interval: 5m, baseEjectionTime: 15m, maxEjectionPercent: 50, minHealthPercent: 40}",
    {
      outlierDetection: {
        consecutive5xx: 7,
        enforcingConsecutive5xx: 100,
        interval: "300s",
        baseEjectionTime: "900s",
        maxEjectionPercent: 50,
        enforcingSuccessRate: 0,
      },
      commonLbConfig: { healthyPanicThreshold: { value: 40 } },
    },
  ],
  [
    "outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 4}",
    {
      outlierDetection: {
        enforcingConsecutive5xx: 0,
        consecutiveGatewayFailure: 3,
        enforcingConsecutiveGatewayFailure: 100,
        splitExternalLocalOriginErrors: true,
        consecutiveLocalOriginFailure: 4,
      },
    },
  ],
  [
    "tls: {mode: SIMPLE, sni: a.com, caCertificates: /ca.pem}",
    {
      transportSocket: {
        name: "envoy.transport_sockets.tls",
        typedConfig: {
          sni: "a.com",
          commonTlsContext: {
            alpnProtocols: ["http/1.1"],
            validationContext: {
              trustedCa: { filename: "/ca.pem" },
              matchTypedSubjectAltNames: [{ sanType: "DNS", matcher: { exact: "a.com" } }],
            },
          },
        },
      },
    },
  ],
  [
    "tls: {mode: MUTUAL, clientCertificate: /c.pem, privateKey: /k.pem, subjectAltNames: ['spiffe://a/b']}",
    {
      transportSocket: {
        typedConfig: {
          commonTlsContext: {
            tlsCertificates: [{ certificateChain: { filename: "/c.pem" }, privateKey: { filename: "/k.pem" } }],
            validationContext: {
              trustedCa: { filename: "/etc/ssl/certs/ca-certificates.crt" },
              matchTypedSubjectAltNames: [{ sanType: "URI", matcher: { exact: "spiffe://a/b" } }],
            },
          },
        },
      },
    },
  ],
];

describe("a traffic policy's setting", () => {
  for (const [yaml, expected] of settings) test(yaml, () => assert.partialDeepStrictEqual(clusterWith(yaml), expected));

  test("tls that is off, or takes any certificate", () => {
    assert.equal(JSON.stringify(clusterWith("tls: {mode: DISABLE}")).includes("transportSocket"), false);
    const any = JSON.stringify(clusterWith("tls: {mode: SIMPLE, sni: a, insecureSkipVerify: true}"));
    assert.ok(any.includes("transportSocket") && !any.includes("validationContext"));
  });

  test("a ring hash is for gRPC's clients too", () => {
    const json = clusterWith("loadBalancer: {consistentHash: {httpHeaderName: x}}", "grpc/shop.G");
    assert.equal(json["lbPolicy"], "RING_HASH");
  });
});

test("a subset's policy takes the place of the rule's, setting by setting", () => {
  const mesh = meshOf({
    policies: policy(
      "DestinationRule",
      "dr",
      "{host: shop.A, trafficPolicy: {loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 7}}}, subsets: [{name: v1, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}]}",
    ),
  });
  assert.partialDeepStrictEqual(jsonOf(mesh, "cds/outbound|http|v1|shop.A"), {
    lbPolicy: "LEAST_REQUEST",
    circuitBreakers: { thresholds: [{ maxConnections: 7 }] },
  });
});

test("rules of one host are merged by namespace and name: all subsets, the first traffic policy; the rest is reported", () => {
  const mesh = meshOf({
    policies:
      policy(
        "DestinationRule",
        "b",
        "{host: shop.A, trafficPolicy: {loadBalancer: {simple: RANDOM}}, subsets: [{name: v1, labels: {x: other}}, {name: v2}]}",
      ) +
      policy(
        "DestinationRule",
        "a",
        "{host: shop.A, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}, subsets: [{name: v1}]}",
      ),
  });
  assert.equal((jsonOf(mesh, "cds/outbound|http|v2|shop.A") as Json)["lbPolicy"], "LEAST_REQUEST");
  assert.deepEqual(
    mesh.rejected.map(({ code, message }) => [code, message.replace(/^.*?: /, "")]),
    [
      ["FL_POLICY_CONFLICT", "the subset v1 of shop.a is that of DestinationRule/default/a, which comes first"],
      ["FL_POLICY_CONFLICT", "the traffic policy of shop.a is that of DestinationRule/default/a, which comes first"],
    ],
  );
});

test("the rule of the narrowest wildcard is for hosts that have none", () => {
  const rule = (name: string, host: string, simple: string) =>
    policy("DestinationRule", name, `{host: "${host}", trafficPolicy: {loadBalancer: {simple: ${simple}}}}`);
  const mesh = meshOf({
    services: ["x.y.z", "own.y.z", "a"],
    policies:
      rule("one", "*", "RANDOM") +
      rule("two", "*.z", "RANDOM") +
      rule("three", "*.y.z", "LEAST_REQUEST") +
      rule("four", "own.y.z", "ROUND_ROBIN"),
  });
  assert.deepEqual(
    ["x.y.z", "own.y.z", "a"].map((name) => (jsonOf(mesh, `cds/outbound|http||${name}`) as Json)["lbPolicy"]),
    ["LEAST_REQUEST", undefined, "RANDOM"],
  );
});

test("a balancer that gRPC clients do not know comes in a list, at whose end is one that they know", () => {
  const listOf = (trafficPolicy: string) => {
    const cluster = clusterWith(trafficPolicy, "grpc/shop.G");
    const { policies = [] } = (cluster["loadBalancingPolicy"] ?? {}) as {
      policies?: { typedExtensionConfig: { typedConfig: Json } }[];
    };
    const configs = policies.map(({ typedExtensionConfig: { typedConfig } }) => {
      const { "@type": type, ...config } = typedConfig;
      return [(type as string).split(".").at(-1), config];
    });
    return [cluster["lbPolicy"] ?? "ROUND_ROBIN", ...configs];
  };
  const last = ["RoundRobin", {}];
  assert.deepEqual(listOf("loadBalancer: {simple: RANDOM}"), ["ROUND_ROBIN", ["Random", {}], last]);
  assert.deepEqual(listOf("loadBalancer: {simple: LEAST_REQUEST, warmupDurationSecs: 60s}"), [
    "ROUND_ROBIN",
    ["LeastRequest", { slowStartConfig: { slowStartWindow: "60s" } }],
    last,
  ]);
  assert.deepEqual(listOf("loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 251}}}"), [
    "ROUND_ROBIN",
    ["Maglev", { tableSize: "251" }],
    last,
  ]);
  const weighted = "outlierDetection: {}, loadBalancer: {simple: RANDOM, localityLbSetting: {}}";
  assert.deepEqual(listOf(weighted)[1], ["Random", { localityLbConfig: { localityWeightedLbConfig: {} } }]);
  assert.deepEqual(listOf("loadBalancer: {simple: ROUND_ROBIN}"), ["ROUND_ROBIN"]);
  assert.deepEqual(listOf("loadBalancer: {consistentHash: {httpHeaderName: x}}"), ["RING_HASH"]);
});

describe("what cannot be done for the service is rejected by name, and nothing of the rule is in force", () => {
  const cases: readonly (readonly [yaml: string, service: string, message: RegExp])[] = [
    ["portLevelSettings: [{port: {number: 80}}]", "shop.A", /portLevelSettings for shop\.A, which is registered/],
    ["tls: {mode: ISTIO_MUTUAL}", "shop.A", /ISTIO_MUTUAL: the mesh hands out no certificates/],
    ["tls: {mode: SIMPLE, credentialName: c}", "shop.A", /credentialName: the mesh hands out no certificates/],
  ];
  for (const [yaml, service, message] of cases) {
    test(yaml, () => {
      const host = service.split("/").at(-1);
      const mesh = meshOf({
        services: [service],
        policies: policy("DestinationRule", "dr", `{host: ${host}, trafficPolicy: {${yaml}}, subsets: [{name: v1}]}`),
      });
      assert.match(mesh.rejected[0]!.message, message);
      assert.deepEqual(mesh.rejected[0]!.provenance, {
        kind: "policy",
        key: "DestinationRule/default/dr",
        file: "p.yaml",
        line: 2,
      });
      assert.equal(
        [...mesh.resources.keys()].some((key) => key.includes("|v1|")),
        false,
      );
    });
  }
});

test("endpoints are grouped by the topology labels of their nodes", () => {
  const mesh = meshOf({
    nodes: [
      {
        id: "a",
        address: "10.0.0.1",
        labels: { "topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z" },
      },
      { id: "b", address: "10.0.0.2", labels: {} },
    ],
    instances: [
      { nodeId: "a", interface: "shop.A" },
      { nodeId: "b", interface: "shop.A" },
    ],
  });
  assert.partialDeepStrictEqual(jsonOf(mesh, "eds/outbound|http||shop.A"), {
    endpoints: [
      { locality: {}, loadBalancingWeight: 100 },
      { locality: { region: "r", zone: "z" }, loadBalancingWeight: 100 },
    ],
  });
});
