import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CompiledMesh } from "./index.ts";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, type MeshParts, policy, routesTo, viewOf } from "./testing/mesh-under-test.ts";

const region = "topology.kubernetes.io/region";
const zone = "topology.kubernetes.io/zone";
const at = (id: string, where: string, labels: Record<string, string> = {}) => {
  const [r = "", z = ""] = where.split("/");
  return { id, address: `10.0.0.${id.length}`, outboundPort: 1, labels: { [region]: r, [zone]: z, ...labels } };
};

/** Instances of shop.A in four zones; the number of letters of a node's name ends its address. */
const nodes = [
  at("a", "r1/z1", { version: "1", tier: "x" }),
  at("bb", "r1/z2", { version: "2", tier: "x" }),
  at("ccc", "r2/z1", { version: "1", tier: "y" }),
  at("dddd", "r3/z1", { version: "2", tier: "y" }),
  { id: "nowhere", outboundPort: 1, labels: { namespace: "team", app: "web" } },
];
const instances = nodes.slice(0, 4).map(({ id }) => ({ nodeId: id, interface: "shop.A" }));

const meshWith = (policies: string, parts: MeshParts = {}): CompiledMesh => {
  const mesh = meshOf({ nodes, instances, policies, services: ["shop.A", "shop.B"], ...parts });
  assert.deepEqual(mesh.rejected, []);
  return mesh;
};
const rule = (spec: string, name = "r", namespace?: string) => policy("DestinationRule", name, spec, namespace);

function resourceOf(mesh: CompiledMesh, nodeId: string, type: string, name: string) {
  const keys = [...viewOf(mesh, nodeId)].filter((key) => mesh.resources.get(key)?.name === name);
  const found = keys.filter((key) => key.startsWith(`${type}/`));
  assert.equal(found.length, 1, `${nodeId} has ${found.join()}`);
  return jsonOf(mesh, found[0]!) as Record<string, unknown>;
}

interface EndpointJson {
  readonly endpoint: { readonly address: { readonly socketAddress: { readonly address: string } } };
}
interface LocalityJson {
  readonly locality: { readonly region?: string; readonly zone?: string };
  readonly priority?: number;
  readonly loadBalancingWeight: number;
  readonly lbEndpoints: readonly EndpointJson[];
}

/** `priority region/zone weight: last parts of addresses` */
function endpointsOf(mesh: CompiledMesh, nodeId: string, name = "outbound|http||shop.A"): string[] {
  const { endpoints } = resourceOf(mesh, nodeId, "eds", name) as { endpoints?: readonly LocalityJson[] };
  return (endpoints ?? []).map(({ locality, priority = 0, loadBalancingWeight, lbEndpoints }) => {
    const hosts = lbEndpoints.map(({ endpoint }) => endpoint.address.socketAddress.address.split(".").at(-1));
    return `${priority} ${locality.region ?? ""}/${locality.zone ?? ""} ${loadBalancingWeight}: ${hosts.join()}`;
  });
}

describe("where a caller is", () => {
  const failing = (setting: string, more = "outlierDetection: {}, ") =>
    meshWith(rule(`{host: shop.A, trafficPolicy: {${more}loadBalancer: {localityLbSetting: ${setting}}}}`));
  const alike = ["0 r1/z1 100: 1", "0 r1/z2 100: 2", "0 r2/z1 100: 3", "0 r3/z1 100: 4"];

  test("its own zone, then its region, then the others; priorities are without gaps", () => {
    const mesh = failing("{enabled: true}");
    assert.deepEqual(endpointsOf(mesh, "a"), ["0 r1/z1 1: 1", "1 r1/z2 1: 2", "2 r2/z1 100: 3", "2 r3/z1 100: 4"]);
    assert.deepEqual(endpointsOf(mesh, "bb")[0], "0 r1/z2 1: 2");
    assert.deepEqual(endpointsOf(mesh, "dddd"), ["0 r3/z1 1: 4", "1 r1/z1 100: 1", "1 r1/z2 100: 2", "1 r2/z1 100: 3"]);
    assert.deepEqual(endpointsOf(mesh, "nowhere"), alike);
    const cluster = resourceOf(mesh, "a", "cds", "outbound|http||shop.A");
    assert.deepEqual((cluster["commonLbConfig"] as object) ?? {}, {
      healthyPanicThreshold: {},
      localityWeightedLbConfig: {},
    });
  });

  test("failover names the region that comes before others", () => {
    const mesh = failing("{failover: [{from: r1, to: r3}]}");
    assert.deepEqual(endpointsOf(mesh, "a"), ["0 r1/z1 1: 1", "1 r1/z2 1: 2", "2 r3/z1 1: 4", "3 r2/z1 1: 3"]);
    assert.deepEqual(
      endpointsOf(mesh, "ccc")
        .slice(1)
        .map((text) => text[0]),
      ["1", "1", "1"],
    );
  });

  test("failoverPriority goes by labels of the caller, or by values that are given", () => {
    const mesh = failing(`{failoverPriority: [tier, "version"]}`);
    assert.deepEqual(endpointsOf(mesh, "a"), ["0 r1/z1 1: 1", "1 r1/z2 1: 2", "2 r2/z1 100: 3", "2 r3/z1 100: 4"]);
    const given = failing(`{failoverPriority: ["tier=y", "${region}"]}`);
    assert.deepEqual(endpointsOf(given, "dddd"), ["0 r3/z1 1: 4", "1 r2/z1 1: 3", "2 r1/z1 100: 1", "2 r1/z2 100: 2"]);
  });

  test("without outlier detection nobody would notice a failure: only shares are followed", () => {
    assert.deepEqual(endpointsOf(failing("{enabled: true}", ""), "a"), alike);
    const shared = failing("{distribute: [{from: r1/z1, to: {r1/z1: 70, 'r1/*': 20, r2: 10}}]}", "");
    assert.deepEqual(endpointsOf(shared, "a"), ["0 r1/z1 70: 1", "0 r1/z2 20: 2", "0 r2/z1 10: 3"]);
    assert.deepEqual(endpointsOf(shared, "bb"), alike);
  });

  test("a share of several localities is theirs by their weight", () => {
    const mesh = failing("{distribute: [{from: '*', to: {'r1/*': 50, '*': 50}}]}", "");
    assert.deepEqual(endpointsOf(mesh, "ccc"), ["0 r1/z1 25: 1", "0 r1/z2 25: 2", "0 r2/z1 25: 3", "0 r3/z1 25: 4"]);
  });

  test("callers of one place share all they see, those of others share routes and clusters", () => {
    const two = meshWith(
      rule("{host: shop.A, trafficPolicy: {outlierDetection: {}, loadBalancer: {localityLbSetting: {}}}}"),
      {
        nodes: [...nodes, at("eeeee", "r1/z1")],
      },
    );
    assert.equal(two.nodes.get("a")!.scopeId, two.nodes.get("eeeee")!.scopeId);
    const [a, bb] = [viewOf(two, "a"), viewOf(two, "bb")];
    const differ = [...a.symmetricDifference(bb)].filter((key) => !key.startsWith("lds/"));
    assert.ok(
      differ.every((key) => key.startsWith("eds/") && key.endsWith("shop.A")),
      differ.join(),
    );
    assert.equal(differ.length, 2);
  });
});

describe("whom a rule is for", () => {
  const lbOf = (mesh: CompiledMesh, nodeId: string) =>
    resourceOf(mesh, nodeId, "cds", "outbound|http||shop.A")["lbPolicy"] ?? "ROUND_ROBIN";
  const random = (more: string) => `{host: shop.A, ${more}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}`;

  test("exportTo: the policy counts for callers of these namespaces", () => {
    const mesh = meshWith(rule(random("exportTo: [team]")));
    assert.deepEqual([lbOf(mesh, "a"), lbOf(mesh, "nowhere")], ["ROUND_ROBIN", "RANDOM"]);
    const own = meshWith(rule(random("exportTo: ['.']"), "r", "team"));
    assert.deepEqual([lbOf(own, "a"), lbOf(own, "nowhere")], ["ROUND_ROBIN", "RANDOM"]);
  });

  test("workloadSelector: for nodes of its namespace, before rules without", () => {
    const wide = rule("{host: shop.A, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}", "a-first");
    const selecting = random("workloadSelector: {matchLabels: {app: web}}");
    const mesh = meshWith(wide + rule(selecting, "z-last", "team"));
    assert.deepEqual([lbOf(mesh, "a"), lbOf(mesh, "nowhere")], ["LEAST_REQUEST", "RANDOM"]);
    const elsewhere = meshWith(wide + rule(selecting, "z-last", "other"));
    assert.equal(lbOf(elsewhere, "nowhere"), "LEAST_REQUEST");
  });

  test("where no rule of the name is for a caller, that of a wildcard is", () => {
    const wide = rule("{host: '*', trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}", "wide");
    const mesh = meshWith(wide + rule(random("exportTo: [team]")));
    assert.deepEqual([lbOf(mesh, "a"), lbOf(mesh, "nowhere")], ["LEAST_REQUEST", "RANDOM"]);
  });

  test("subsets are there for all, so that no route leads nowhere; the hash of a rule is in the routes of those whom it is for", () => {
    const mesh = meshWith(
      rule(
        "{host: shop.B, exportTo: [team], subsets: [{name: v1, labels: {version: v1}}], trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}",
      ) +
        policy(
          "VirtualService",
          "v",
          "{hosts: [shop.A], http: [{route: [{destination: {host: shop.B, subset: v1}}]}]}",
        ),
    );
    const hashOf = (nodeId: string) =>
      (routesTo(mesh, "shop.A", nodeId)![0]!["route"] as { hashPolicy?: unknown[] }).hashPolicy?.length ?? 0;
    assert.deepEqual([hashOf("a"), hashOf("nowhere")], [0, 1]);
    for (const nodeId of ["a", "nowhere"]) resourceOf(mesh, nodeId, "cds", "outbound|http|v1|shop.B");
  });

  test("rules that no caller has together do not contradict each other", () => {
    const one = rule(random("exportTo: [team]"), "one");
    const mesh = meshWith(
      one + rule("{host: shop.A, exportTo: [default], trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}", "two"),
    );
    assert.deepEqual([lbOf(mesh, "a"), lbOf(mesh, "nowhere")], ["LEAST_REQUEST", "RANDOM"]);
  });

  test("a subset is of the instances that the caller's rule names, and of the same ones it is kept once", () => {
    const subset = (name: string, version: string, to: string) =>
      rule(`{host: shop.A, exportTo: [${to}], subsets: [{name: v1, labels: {version: "${version}"}}]}`, name);
    const labelled = nodes
      .slice(0, 2)
      .map(({ id }, index) => ({ nodeId: id, interface: "shop.A", labels: { version: `${index + 1}` } }));
    const keyOf = (mesh: CompiledMesh, nodeId: string) =>
      [...viewOf(mesh, nodeId)].find((key) => key.startsWith("eds/") && key.includes("|v1|"));
    const differing = meshWith(subset("one", "1", "default") + subset("two", "2", "team"), { instances: labelled });
    assert.deepEqual(endpointsOf(differing, "a", "outbound|http|v1|shop.A"), ["0 r1/z1 1: 1"]);
    assert.deepEqual(endpointsOf(differing, "nowhere", "outbound|http|v1|shop.A"), ["0 r1/z2 1: 2"]);
    const alike = meshWith(subset("one", "1", "default") + subset("two", "1", "team"), { instances: labelled });
    assert.equal(keyOf(alike, "a"), keyOf(alike, "nowhere"));
  });
});
