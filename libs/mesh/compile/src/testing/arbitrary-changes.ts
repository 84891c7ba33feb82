import { type Change, type Instance, type MeshNode, keyOf, type Protocol } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import * as fc from "fast-check";

const names = ["shop.A", "shop.B", "SHOP.b", "shop.C"];
const protocols: readonly Protocol[] = ["http", "http2", "grpc", "bolt", "dubbo"];
const nodeIds = ["n1", "n2", "n3"];

const rule = (name: string, spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const routes = (name: string, spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

/** Texts that take turns under a few names: some lead to what is not always there, or ask for what not every service has. */
const policyTexts = [
  rule("one", "{host: shop.A, subsets: [{name: v1, labels: {version: v1}}]}"),
  rule(
    "one",
    "{host: shop.A, subsets: [{name: v1, labels: {version: v2}}, {name: v2, labels: {version: v2}}], trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
  ),
  rule("one", "{host: shop.B, subsets: [{name: v1, labels: {version: v1}}]}"),
  rule("two", "{host: SHOP.a, subsets: [{name: v2, labels: {}}]}"),
  routes("one", "{hosts: [shop.A], http: [{route: [{destination: {host: shop.B}}]}]}"),
  routes("one", "{hosts: [shop.A, shop.C], http: [{route: [{destination: {host: shop.A, subset: v1}}]}]}"),
  routes(
    "one",
    "{hosts: [shop.B], http: [{route: [{destination: {host: shop.A, subset: v2}, weight: 3}, {destination: {host: shop.C}, weight: 1}]}]}",
  ),
  routes("two", "{hosts: [shop.A], http: [{match: [{uri: {prefix: /x}}], route: [{destination: {host: shop.C}}]}]}"),
  routes("two", "{hosts: [shop.Nobody], http: [{route: [{destination: {host: shop.A, subset: v9}}]}]}"),
];
const textOf = (kind: string, name: string, spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
policyTexts.push(
  // What lies beside a registered service of the same name, and what others lead to.
  textOf(
    "ServiceEntry",
    "one",
    "{hosts: [shop.E, shop.A], ports: [{number: 80, name: a, protocol: HTTP}], resolution: DNS}",
  ),
  textOf(
    "ServiceEntry",
    "one",
    "{hosts: [shop.E], ports: [{number: 80, name: a, protocol: HTTP}, {number: 81, name: b, protocol: TCP}], resolution: STATIC, workloadSelector: {labels: {zone: a}}, exportTo: [team]}",
  ),
  textOf(
    "ServiceEntry",
    "two",
    "{hosts: ['*.e', Shop.e], ports: [{number: 80, name: a, protocol: GRPC}], resolution: STATIC, endpoints: [{address: 10.0.0.9}]}",
  ),
  rule("three", "{host: '*', trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}"),
  routes(
    "three",
    "{hosts: [shop.E, shop.B], http: [{match: [{sourceLabels: {zone: a}}], delegate: {name: four}}, {mirror: {host: shop.A}, route: [{destination: {host: shop.E}}]}]}",
  ),
  routes(
    "four",
    "{http: [{match: [{uri: {prefix: /y}, sourceNamespace: team}], route: [{destination: {host: shop.B}}]}]}",
  ),
  routes(
    "five",
    "{hosts: ['*'], gateways: [one], http: [{route: [{destination: {host: shop.B}}]}], tcp: [{match: [{port: 81}], route: [{destination: {host: shop.E, port: {number: 81}}}]}]}",
  ),
  textOf(
    "Gateway",
    "one",
    "{selector: {zone: a}, servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}]}",
  ),
  textOf(
    "Gateway",
    "one",
    "{selector: {edge: 'yes'}, servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['./shop.b']}, {port: {number: 81, name: b, protocol: TCP}, hosts: ['*']}]}",
  ),
  textOf(
    "Gateway",
    "two",
    "{selector: {zone: a}, servers: [{port: {number: 80, name: a, protocol: TCP}, hosts: ['*']}]}",
  ),
  textOf("Sidecar", "one", "{egress: [{hosts: ['./shop.a', '*/*.e']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}"),
  textOf(
    "Sidecar",
    "two",
    "{workloadSelector: {labels: {zone: a}}, egress: [{hosts: ['*/*']}], ingress: [{port: {number: 1}, defaultEndpoint: '127.0.0.1:9'}]}",
  ),
);
policyTexts.push(
  // Rules that are not the same for all callers.
  rule(
    "one",
    "{host: shop.A, exportTo: [team], subsets: [{name: v1, labels: {version: v2}}], trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}",
  ),
  rule(
    "two",
    "{host: shop.A, workloadSelector: {matchLabels: {zone: a}}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
  ),
  rule(
    "three",
    "{host: '*', trafficPolicy: {outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: r1, to: r2}]}}}}",
  ),
  rule(
    "three",
    "{host: shop.B, trafficPolicy: {outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [zone]}}}}",
  ),
  rule(
    "two",
    "{host: shop.A, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: r1, to: {r1: 80, r2: 20}}]}}}}",
  ),
);
const policies = policyTexts.flatMap((text) =>
  parsePolicies(text, { file: "p.yaml" }).policies.map(({ object }) => object),
);

const node: fc.Arbitrary<MeshNode> = fc.record({
  id: fc.constantFrom(...nodeIds),
  app: fc.constant("app"),
  address: fc.constantFrom("10.0.0.1", "10.0.0.2", "127.0.0.1"),
  inboundPort: fc.constantFrom(15006, undefined),
  outboundPort: fc.constantFrom(15001, undefined),
  outboundRpcPort: fc.constantFrom(12220, undefined),
  labels: fc.constantFrom<Record<string, string>>(
    { "fairlead.io/proxy": "envoy" },
    {},
    { zone: "a" },
    { edge: "yes", namespace: "team" },
    { zone: "a", "topology.kubernetes.io/region": "r1" },
    { "topology.kubernetes.io/region": "r2" },
  ),
});

const service = fc.record({ interface: fc.constantFrom(...names), protocol: fc.constantFrom(...protocols) });

const instance: fc.Arbitrary<Instance> = fc
  .record({
    nodeId: fc.constantFrom(...nodeIds, "gone"),
    interface: fc.constantFrom(...names),
    protocol: fc.constantFrom(...protocols),
    port: fc.integer({ min: 1, max: 2 }),
    labels: fc.constantFrom({ version: "v1" }, { version: "v2" }),
    state: fc.constantFrom("warming" as const, "ready" as const, "draining" as const),
    // Too much for a uint32, so that it cannot be compiled.
    weight: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constant(2 ** 33)),
  })
  .map((more) => ({ ...more, version: "", group: "", methods: [] }));

const subscription = fc.record({ nodeId: fc.constantFrom(...nodeIds), interface: fc.constantFrom(...names) });

type Values = { readonly [Kind in Change["kind"]]: NonNullable<Extract<Change, { kind: Kind }>["value"]> };

function changesOf<Kind extends Change["kind"]>(kind: Kind, value: fc.Arbitrary<Values[Kind]>): fc.Arbitrary<Change> {
  return fc
    .tuple(value, fc.integer({ min: 0, max: 3 }))
    .map(
      ([object, dice]) =>
        ({ kind, key: keyOf({ kind, value: object }), revision: 0, value: dice === 0 ? undefined : object }) as Change,
    );
}

/** One change of any kind; one in four is a removal. */
export const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  changesOf("node", node),
  changesOf("service", service),
  { weight: 2, arbitrary: changesOf("instance", instance) },
  changesOf("subscription", subscription),
  { weight: 3, arbitrary: changesOf("policy", fc.constantFrom(...policies)) },
);
