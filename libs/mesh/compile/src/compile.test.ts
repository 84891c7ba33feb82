import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  type Catalogue,
  CatalogueReplica,
  type Instance,
  instanceKey,
  type MeshNode,
  policyKey,
  type Protocol,
  serviceKey,
  subscriptionKey,
} from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import * as fc from "fast-check";
import { compile, type CompiledMesh } from "./index.ts";
import { jsonOf } from "./testing/json-of.ts";

interface Parts {
  readonly nodes?: readonly MeshNode[];
  readonly instances?: readonly Instance[];
  readonly subscriptions?: readonly { nodeId: string; interface: string }[];
  readonly policies?: string;
}

function catalogueOf({ nodes = [], instances = [], subscriptions = [], policies }: Parts): Catalogue {
  const catalogue = new CatalogueReplica();
  catalogue.revision = 7;
  for (const node of nodes) catalogue.nodes.set(node.id, node);
  for (const instance of instances) {
    catalogue.instances.set(instanceKey(instance), instance);
    catalogue.services.set(serviceKey(instance), { interface: instance.interface, protocol: instance.protocol });
  }
  for (const subscription of subscriptions) catalogue.subscriptions.set(subscriptionKey(subscription), subscription);
  if (policies !== undefined) {
    for (const { object } of parsePolicies(policies, { file: "p.yaml" }).policies)
      catalogue.policies.set(policyKey(object), object);
  }
  return catalogue;
}

function nodeOf(id: string, more: Partial<MeshNode> = {}): MeshNode {
  return { id, app: id, address: "10.0.0.1", inboundPort: 15006, outboundPort: 15001, labels: {}, ...more };
}

function instanceOf(nodeId: string, name: string, more: Partial<Instance> = {}): Instance {
  return {
    nodeId,
    interface: name,
    protocol: "http",
    port: 8080,
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready",
    ...more,
  };
}

const virtualService = (http: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec:\n  hosts: [shop.A]\n  http:\n${http}\n`;
const destinationRule = `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr}\nspec:\n  host: shop.A\n  trafficPolicy: {loadBalancer: {simple: RANDOM}}\n  subsets:\n    - {name: v1, labels: {version: v1}}\n    - {name: v2, labels: {version: v2}}\n`;

function routesOf(mesh: CompiledMesh, key = "rds/everything/outbound"): { domains: string[]; routes: JsonValue[] }[] {
  return (jsonOf(mesh, key) as { virtualHosts?: { domains: string[]; routes: JsonValue[] }[] }).virtualHosts ?? [];
}

test("a service: cluster, endpoints by its nodes' inbound port, virtual host with Istio's default retries", () => {
  const mesh = compile(catalogueOf({ nodes: [nodeOf("n1")], instances: [instanceOf("n1", "shop.A")] }));
  assert.deepEqual(jsonOf(mesh, "cds/outbound|http||shop.A"), {
    name: "outbound|http||shop.A",
    type: "EDS",
    edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: "V3" }, serviceName: "outbound|http||shop.A" },
    connectTimeout: "5s",
    circuitBreakers: { thresholds: [{ maxRetries: 1024 }] },
  });
  assert.deepEqual(jsonOf(mesh, "eds/outbound|http||shop.A"), {
    clusterName: "outbound|http||shop.A",
    endpoints: [
      {
        locality: {},
        loadBalancingWeight: 1,
        lbEndpoints: [
          {
            endpoint: { address: { socketAddress: { address: "10.0.0.1", portValue: 15006 } } },
            loadBalancingWeight: 100,
          },
        ],
      },
    ],
  });
  assert.deepEqual(routesOf(mesh), [
    {
      name: "shop.A",
      domains: ["shop.a"],
      routes: [
        {
          name: "default",
          match: { prefix: "/" },
          route: {
            cluster: "outbound|http||shop.A",
            timeout: "0s",
            retryPolicy: {
              retryOn: "connect-failure,refused-stream,unavailable,cancelled,reset-before-request",
              numRetries: 2,
              hostSelectionRetryMaxAttempts: "5",
              retryHostPredicate: [
                {
                  name: "envoy.retry_host_predicates.previous_hosts",
                  typedConfig: {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                  },
                },
              ],
            },
          },
        },
      ],
    },
  ]);
});

test("only ready instances get calls; one without a proxy is called at its own port; instances behind one proxy are one endpoint", () => {
  const mesh = compile(
    catalogueOf({
      nodes: [
        nodeOf("n1"),
        nodeOf("n2", { address: "10.0.0.2", inboundPort: undefined }),
        nodeOf("n3", { address: "10.0.0.3" }),
      ],
      instances: [
        instanceOf("n1", "shop.A", { port: 1 }),
        instanceOf("n1", "shop.A", { port: 2, weight: 50 }),
        instanceOf("n2", "shop.A", { port: 9000 }),
        instanceOf("n3", "shop.A", { state: "warming" }),
        instanceOf("n3", "shop.A", { state: "draining", port: 2 }),
        instanceOf("nobody", "shop.A"),
      ],
    }),
  );
  const { endpoints } = jsonOf(mesh, "eds/outbound|http||shop.A") as {
    endpoints: {
      lbEndpoints: {
        endpoint: { address: { socketAddress: { address: string; portValue: number } } };
        loadBalancingWeight: number;
      }[];
    }[];
  };
  assert.deepEqual(
    endpoints[0]!.lbEndpoints.map(({ endpoint, loadBalancingWeight }) => [
      ...Object.values(endpoint.address.socketAddress),
      loadBalancingWeight,
    ]),
    [
      ["10.0.0.1", 15006, 150],
      ["10.0.0.2", 9000, 100],
    ],
  );
});

test("a service without an instance has a cluster without endpoints: no healthy upstream, not 404", () => {
  const catalogue = catalogueOf({});
  (catalogue as CatalogueReplica).services.set("http/shop.A", { interface: "shop.A", protocol: "http" });
  const mesh = compile(catalogue);
  assert.deepEqual(jsonOf(mesh, "eds/outbound|http||shop.A"), { clusterName: "outbound|http||shop.A" });
  assert.equal(routesOf(mesh).length, 1);
});

describe("policies", () => {
  const two = [
    instanceOf("n1", "shop.A", { labels: { version: "v1" } }),
    instanceOf("n2", "shop.A", { labels: { version: "v2" } }),
  ];
  const nodes = [nodeOf("n1"), nodeOf("n2", { address: "10.0.0.2" })];

  test("subsets are clusters with the endpoints that have their labels; weights, time-out and retries are the route's", () => {
    const policies = `${destinationRule}---\n${virtualService(
      "    - route:\n        - {destination: {host: SHOP.a, subset: v1}, weight: 90}\n        - {destination: {host: shop.A, subset: v2}, weight: 10}\n      timeout: 1.5s\n      retries: {attempts: 3, retryOn: '503,connect-failure', perTryTimeout: 200ms}",
    )}`;
    const mesh = compile(catalogueOf({ nodes, instances: two, policies }));
    assert.deepEqual(mesh.rejected, []);
    assert.equal((jsonOf(mesh, "cds/outbound|http|v1|shop.A") as { lbPolicy: string }).lbPolicy, "RANDOM");
    assert.match(JSON.stringify(jsonOf(mesh, "eds/outbound|http|v2|shop.A")), /10\.0\.0\.2/);
    assert.doesNotMatch(JSON.stringify(jsonOf(mesh, "eds/outbound|http|v2|shop.A")), /10\.0\.0\.1/);
    const route = (routesOf(mesh)[0]!.routes[0] as { route: Record<string, JsonValue> }).route;
    assert.deepEqual(route["weightedClusters"], {
      clusters: [
        { name: "outbound|http|v1|shop.A", weight: 90 },
        { name: "outbound|http|v2|shop.A", weight: 10 },
      ],
    });
    assert.equal(route["timeout"], "1.500s");
    const retry = route["retryPolicy"] as Record<string, JsonValue>;
    assert.deepEqual(
      [retry["retryOn"], retry["numRetries"], retry["retriableStatusCodes"], retry["perTryTimeout"]],
      ["connect-failure,retriable-status-codes", 3, [503], "0.200s"],
    );
    assert.deepEqual(
      mesh.resources.get("rds/everything/outbound")!.provenance.find(({ kind }) => kind === "policy"),
      { kind: "policy", key: "VirtualService/default/vs", file: "p.yaml", line: 11 },
    );
  });

  test("matches become routes in their order; what none matches gets 404", () => {
    const policies = virtualService(
      `    - name: r
      match:
        - {name: m, uri: {prefix: /api}, method: {exact: POST}, headers: {X-B: {regex: 'a+'}, x-a: {}}, withoutHeaders: {x-c: {exact: z}}, queryParams: {q: {prefix: p}}}
        - {uri: {exact: /one}, ignoreUriCase: true}
      rewrite: {uri: /v2, authority: other}
      retries: {attempts: 0}
      route: [{destination: {host: shop.A}}]
    - match: [{uri: {regex: '/x.*'}}]
      redirect: {uri: /y, redirectCode: 308}
    - directResponse: {status: 503, body: {string: closed}}`,
    );
    const mesh = compile(catalogueOf({ nodes, instances: two, policies }));
    const action = {
      cluster: "outbound|http||shop.A",
      timeout: "0s",
      prefixRewrite: "/v2",
      hostRewriteLiteral: "other",
    };
    assert.deepEqual(routesOf(mesh)[0]!.routes, [
      {
        name: "r.m",
        match: {
          prefix: "/api",
          headers: [
            { name: ":method", stringMatch: { exact: "POST" } },
            { name: "x-b", stringMatch: { safeRegex: { regex: "a+" } } },
            { name: "x-a", presentMatch: true },
            { name: "x-c", stringMatch: { exact: "z" }, invertMatch: true, treatMissingHeaderAsEmpty: true },
          ],
          queryParameters: [{ name: "q", stringMatch: { prefix: "p" } }],
        },
        route: action,
      },
      { name: "r", match: { path: "/one", caseSensitive: false }, route: action },
      { match: { safeRegex: { regex: "/x.*" } }, redirect: { pathRedirect: "/y", responseCode: "PERMANENT_REDIRECT" } },
      { match: { prefix: "/" }, directResponse: { status: 503, body: { inlineString: "closed" } } },
    ]);
  });

  for (const [name, http, message] of [
    ["an unknown host", "    - route: [{destination: {host: shop.Nobody}}]", /shop\.Nobody is not registered/],
    [
      "an unknown subset",
      "    - route: [{destination: {host: shop.A, subset: v9}}]",
      /no DestinationRule of shop\.A has the subset v9/,
    ],
  ] as const) {
    test(`a new VirtualService that leads to ${name} takes no calls: what there was stays, and it is named with its line`, () => {
      const mesh = compile(catalogueOf({ nodes, instances: two, policies: virtualService(http) }));
      assert.equal(mesh.rejected.length, 1);
      assert.equal(mesh.rejected[0]!.code, "FL_POLICY_DESTINATION_UNKNOWN");
      assert.match(mesh.rejected[0]!.message, message);
      assert.deepEqual(mesh.rejected[0]!.provenance, {
        kind: "policy",
        key: "VirtualService/default/vs",
        file: "p.yaml",
        line: 1,
      });
      const [route, ...others] = routesOf(mesh)[0]!.routes;
      assert.equal((route as { route: { cluster: string } }).route.cluster, "outbound|http||shop.A");
      assert.deepEqual(others, []);
    });
  }
});

test("a node's own resources: listeners on its ports, and the way to its application", () => {
  const mesh = compile(
    catalogueOf({
      nodes: [
        nodeOf("n1"),
        nodeOf("local", { address: "127.0.0.1", inboundPort: 16006 }),
        nodeOf("caller", { inboundPort: undefined }),
      ],
      instances: [
        instanceOf("n1", "shop.A", { state: "warming" }),
        instanceOf("n1", "shop.B", { port: 8081 }),
        instanceOf("local", "shop.A"),
      ],
    }),
  );
  const address = (key: string) =>
    (jsonOf(mesh, key) as { address: { socketAddress: JsonValue } }).address.socketAddress;
  assert.deepEqual(address("lds/n1/outbound"), { address: "127.0.0.1", portValue: 15001 });
  assert.deepEqual(address("lds/n1/inbound"), { address: "0.0.0.0", portValue: 15006 });
  assert.deepEqual(address("lds/local/inbound"), { address: "127.0.0.1", portValue: 16006 });
  assert.deepEqual([...mesh.nodes.get("caller")!.keys], ["lds/caller/outbound"]);
  const hosts = (key: string) =>
    routesOf(mesh, key).map(({ domains, routes }) => [
      domains[0],
      (routes[0] as { route: { cluster: string } }).route.cluster,
    ]);
  assert.deepEqual(hosts("rds/n1/inbound"), [
    ["shop.a", "inbound|8080"],
    ["shop.b", "inbound|8081"],
  ]);
  assert.deepEqual(hosts("rds/local/inbound"), [
    ["shop.a", "inbound|8080"],
    ["*", "inbound|8080"],
  ]);
  assert.ok(mesh.nodes.get("n1")!.keys.has("cds/n1/inbound|8081"));
});

test("a node that subscribes sees what it calls, and what the routes of that lead to", () => {
  const policies = virtualService("    - route: [{destination: {host: shop.B}}]");
  const mesh = compile(
    catalogueOf({
      nodes: [nodeOf("n1"), nodeOf("n2")],
      instances: [instanceOf("n1", "shop.A"), instanceOf("n1", "shop.B"), instanceOf("n1", "shop.C")],
      subscriptions: [
        { nodeId: "n2", interface: "SHOP.a" },
        { nodeId: "n2", interface: "shop.Later" },
      ],
      policies,
    }),
  );
  assert.equal(mesh.nodes.get("n1")!.scopeId, "everything");
  const scope = mesh.scopes.get(mesh.nodes.get("n2")!.scopeId)!;
  assert.deepEqual([...scope.keys].filter((key) => key.startsWith("cds/")).toSorted(), [
    "cds/outbound|http||shop.A",
    "cds/outbound|http||shop.B",
  ]);
  assert.deepEqual(
    routesOf(mesh, `rds/${scope.id}/outbound`).map(({ domains }) => domains),
    [["shop.a"]],
  );
});

test("gRPC: HTTP/2 upstream, and an API listener that only who names it gets", () => {
  const mesh = compile(
    catalogueOf({
      nodes: [nodeOf("n1", { inboundPort: undefined })],
      instances: [instanceOf("n1", "shop.G", { protocol: "grpc" })],
    }),
  );
  assert.match(JSON.stringify(jsonOf(mesh, "cds/outbound|grpc||shop.G")), /http2ProtocolOptions/);
  const listener = mesh.resources.get("lds/api/shop.G")!;
  assert.equal(listener.onDemand, true);
  assert.equal(mesh.resources.get("rds/api/shop.G")!.onDemand, true);
  assert.ok(mesh.scopes.get("everything")!.keys.has("lds/api/shop.G"));
});

test("the interface of two protocols has one virtual host: the plainest's", () => {
  const mesh = compile(
    catalogueOf({
      nodes: [nodeOf("n1")],
      instances: [
        instanceOf("n1", "shop.A", { protocol: "grpc" }),
        instanceOf("n1", "Shop.a"),
        instanceOf("n1", "shop.A", { protocol: "bolt" }),
      ],
    }),
  );
  assert.deepEqual(
    routesOf(mesh).map(({ domains }) => domains),
    [["shop.a"]],
  );
  assert.match(JSON.stringify(routesOf(mesh)), /outbound\|http\|\|Shop\.a/);
});

const names = ["shop.A", "shop.B", "SHOP.b", "shop.C"];
const arbitraryParts = fc.record({
  nodes: fc
    .uniqueArray(fc.constantFrom("n1", "n2", "n3", "n4"), { minLength: 1 })
    .map((ids) => ids.map((id, index) => nodeOf(id, { address: `10.0.0.${index}` }))),
  instances: fc.array(
    fc
      .record({
        nodeId: fc.constantFrom("n1", "n2", "n3", "gone"),
        interface: fc.constantFrom(...names),
        protocol: fc.constantFrom<Protocol>("http", "grpc", "bolt"),
        port: fc.integer({ min: 1, max: 3 }),
        state: fc.constantFrom("warming" as const, "ready" as const, "draining" as const),
        version: fc.constantFrom("v1", "v2"),
      })
      .map(({ nodeId, interface: name, version, ...more }) =>
        instanceOf(nodeId, name, { ...more, labels: { version } }),
      ),
    { maxLength: 12 },
  ),
  subscriptions: fc.array(fc.record({ nodeId: fc.constantFrom("n1", "n2"), interface: fc.constantFrom(...names) }), {
    maxLength: 4,
  }),
  policies: fc.constantFrom(
    destinationRule,
    virtualService("    - route: [{destination: {host: shop.B}}]"),
    `${destinationRule}---\n${virtualService("    - route: [{destination: {host: shop.A, subset: v1}, weight: 1}, {destination: {host: shop.C}, weight: 1}]")}`,
  ),
});

function shuffled(catalogue: Catalogue, seed: number): Catalogue {
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  const shuffle = <K, V>(map: ReadonlyMap<K, V>) =>
    new Map(
      [...map]
        .map((entry) => [random(), entry] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, entry]) => entry),
    );
  return {
    revision: catalogue.revision,
    nodes: shuffle(catalogue.nodes),
    services: shuffle(catalogue.services),
    instances: shuffle(catalogue.instances),
    subscriptions: shuffle(catalogue.subscriptions),
    policies: shuffle(catalogue.policies),
  };
}

test("shuffled input gives the same bytes", () => {
  fc.assert(
    fc.property(arbitraryParts, fc.integer({ min: 1, max: 1e6 }), (parts, seed) => {
      const catalogue = catalogueOf(parts);
      const [one, other] = [compile(catalogue), compile(shuffled(catalogue, seed))];
      assert.deepEqual([...one.resources.keys()].toSorted(), [...other.resources.keys()].toSorted());
      for (const [key, resource] of one.resources) {
        assert.ok(Buffer.from(resource.body).equals(other.resources.get(key)!.body), key);
        assert.deepEqual(resource.provenance, other.resources.get(key)!.provenance);
      }
      assert.deepEqual(new Set(one.scopes.keys()), new Set(other.scopes.keys()));
      for (const [id, node] of one.nodes) assert.deepEqual(node, other.nodes.get(id));
    }),
    { numRuns: 60 },
  );
});

test("no view holds a route to a cluster, or a listener with a route name, that it lacks; every key is a resource", () => {
  fc.assert(
    fc.property(arbitraryParts, (parts) => {
      const mesh = compile(catalogueOf(parts));
      const views = [...mesh.nodes.values()].map(
        ({ scopeId, keys }) => new Set([...mesh.scopes.get(scopeId)!.keys, ...keys]),
      );
      for (const view of [...views, ...[...mesh.scopes.values()].map(({ keys }) => keys)]) {
        const held = [...view].map((key) => mesh.resources.get(key) ?? assert.fail(`${key} is no resource`));
        const clusters = new Set(held.filter(({ typeUrl }) => typeUrl === typeUrls.cluster).map(({ name }) => name));
        for (const resource of held) {
          const text = JSON.stringify(jsonOf(mesh, resource.key));
          if (resource.typeUrl === typeUrls.route) {
            for (const [, name] of text.matchAll(/"(?:cluster|name)":"((?:outbound|inbound)\|[^"]*)"/g))
              assert.ok(clusters.has(name!), String(name));
          }
          if (resource.typeUrl === typeUrls.listener) {
            const [, routeName] = /"routeConfigName":"([^"]*)"/.exec(text)!;
            assert.ok(
              held.some(({ typeUrl, name }) => typeUrl === typeUrls.route && name === routeName),
              String(routeName),
            );
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});
