import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import { Cluster } from "./cluster.ts";
import { type BalancerName, clusterDefaults, type HostHealth, type HostSpec } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { canonicalJson, type HostMetadata, type MetadataMatch, type SubsetConfig } from "./subset-config.ts";

const selector = (keys: readonly string[], more: Partial<SubsetConfig["selectors"][number]> = {}) => ({
  keys,
  fallback: undefined,
  fallbackKeys: [],
  singleHost: false,
  ...more,
});

const wants = (values: Readonly<Record<string, unknown>>): MetadataMatch =>
  new Map(Object.entries(values).map(([name, value]) => [name, canonicalJson(value)]));

const subsetDefaults: SubsetConfig = {
  fallback: "none",
  defaultSubset: new Map(),
  selectors: [selector(["version"])],
  localityWeightAware: false,
  scaleLocalityWeight: false,
  panicModeAny: false,
  listAsAny: false,
};

function host(port: number, metadata: HostMetadata, health: HostHealth = "healthy"): HostSpec {
  return { address: "127.0.0.1", port, weight: 1, health, metadata };
}

const hosts = [
  host(1, { version: "v1", stage: "prod" }),
  host(2, { version: "v1", stage: "dev" }),
  host(3, { version: "v2", stage: "prod" }),
  host(4, { version: 2 }),
  host(5, {}),
];

function clusterOf(
  subsets: Partial<SubsetConfig>,
  specs: readonly HostSpec[] = hosts,
  name: BalancerName = "round_robin",
): Cluster {
  const balancing = { ...clusterDefaults.balancing, name };
  const config = { ...clusterDefaults, name: "c", balancing, subsets: { ...subsetDefaults, ...subsets } };
  const cluster = new Cluster(config, new ClusterStats(), { wheel: new TimerWheel(), random: Math.random });
  cluster.setHosts(specs);
  return cluster;
}

/** The ports that many requests are sent to. */
function portsOf(cluster: Cluster, subset?: MetadataMatch): number[] {
  const ports = Array.from(
    { length: 200 },
    (_, i) => cluster.pickHost({ subset, hash: (BigInt(i) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn })?.port ?? 0,
  );
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

for (const name of ["round_robin", "least_request", "random", "ring_hash", "maglev"] as const) {
  test(`a request gets a host that has the metadata that it wants (${name})`, () => {
    const cluster = clusterOf({}, hosts, name);
    assert.deepEqual(portsOf(cluster, wants({ version: "v1" })), [1, 2]);
    assert.deepEqual(portsOf(cluster, wants({ version: "v2" })), [3]);
    assert.deepEqual(portsOf(cluster, wants({ version: 2 })), [4], "a number is not a text");
  });
}

test("only a selector of exactly the wanted names finds a subset", () => {
  const cluster = clusterOf({ selectors: [selector(["stage", "version"]), selector(["version"])] });
  assert.deepEqual(portsOf(cluster, wants({ version: "v1", stage: "prod" })), [1]);
  assert.deepEqual(portsOf(cluster, wants({ stage: "prod" })), [0]);
  assert.deepEqual(portsOf(cluster, wants({ version: "v1", stage: "prod", zone: "a" })), [0]);
});

test("what no subset has falls back as the cluster says", () => {
  const unknown = wants({ version: "v9" });
  assert.deepEqual(portsOf(clusterOf({ fallback: "none" }), unknown), [0]);
  assert.deepEqual(portsOf(clusterOf({ fallback: "none" })), [0], "nor a request that wants nothing");
  assert.deepEqual(portsOf(clusterOf({ fallback: "any" }), unknown), [1, 2, 3, 4, 5]);
  const withDefault = clusterOf({ fallback: "default", defaultSubset: wants({ stage: "prod" }) });
  assert.deepEqual(portsOf(withDefault, unknown), [1, 3]);
  assert.deepEqual(portsOf(withDefault), [1, 3]);
  const nobody = { fallback: "default", defaultSubset: wants({ stage: "none" }) } as const;
  assert.deepEqual(portsOf(clusterOf(nobody), unknown), [0]);
  const panic = clusterOf({ ...nobody, panicModeAny: true });
  assert.deepEqual(portsOf(panic, unknown), [1, 2, 3, 4, 5]);
  assert.equal(panic.stats.lb_subsets_fallback_panic, 200);
});

test("a selector's own fallback comes before the cluster's", () => {
  const unknown = wants({ version: "v9" });
  const of = (fallback: "none" | "any" | "default", clusters: SubsetConfig["fallback"]): Cluster =>
    clusterOf({
      fallback: clusters,
      defaultSubset: wants({ version: "v2" }),
      selectors: [selector(["version"], { fallback })],
    });
  assert.deepEqual(portsOf(of("none", "any"), unknown), [0]);
  assert.deepEqual(portsOf(of("any", "none"), unknown), [1, 2, 3, 4, 5]);
  assert.deepEqual(portsOf(of("default", "none"), unknown), [3]);
});

test("a selector may look again with fewer of its names", () => {
  const cluster = clusterOf({
    selectors: [
      selector(["stage", "version"], { fallback: "keys", fallbackKeys: ["version"] }),
      selector(["version"], { fallback: "any" }),
    ],
  });
  assert.deepEqual(portsOf(cluster, wants({ version: "v2", stage: "dev" })), [3]);
  assert.deepEqual(portsOf(cluster, wants({ version: "v9", stage: "dev" })), [1, 2, 3, 4, 5]);
});

test("a list is one value, or each of its elements where the cluster says so", () => {
  const specs = [host(1, { version: ["a", "b"] }), host(2, { version: "b" })];
  assert.deepEqual(portsOf(clusterOf({}, specs), wants({ version: "b" })), [2]);
  assert.deepEqual(portsOf(clusterOf({}, specs), wants({ version: ["a", "b"] })), [1]);
  assert.deepEqual(portsOf(clusterOf({ listAsAny: true }, specs), wants({ version: "b" })), [1, 2]);
  assert.deepEqual(portsOf(clusterOf({ listAsAny: true }, specs), wants({ version: "a" })), [1]);
});

test("of hosts with the same value only one is used where the selector says so, and the others are counted", () => {
  const cluster = clusterOf({ selectors: [selector(["version"], { singleHost: true })] });
  assert.deepEqual(portsOf(cluster, wants({ version: "v1" })), [1]);
  assert.equal(cluster.stats.lb_subsets_single_host_per_subset_duplicate, 1);
});

test("health counts within a subset: its own panic, and no host of another", () => {
  const sick = [host(1, { version: "v1" }, "unhealthy"), ...hosts.slice(1)];
  assert.deepEqual(portsOf(clusterOf({}, sick), wants({ version: "v1" })), [2]);
  const allSick = [host(1, { version: "v1" }, "unhealthy"), host(3, { version: "v2" })];
  const cluster = clusterOf({}, allSick);
  assert.deepEqual(portsOf(cluster, wants({ version: "v1" })), [1]);
  assert.ok(cluster.stats.lb_healthy_panic > 0);
});

test("subsets are counted as they come and go", () => {
  const cluster = clusterOf({});
  const { stats } = cluster;
  assert.deepEqual([stats.lb_subsets_active, stats.lb_subsets_created, stats.lb_subsets_removed], [3, 3, 0]);
  cluster.setHosts([host(1, { version: "v1" }), host(7, { version: "v7" })]);
  assert.deepEqual([stats.lb_subsets_active, stats.lb_subsets_created, stats.lb_subsets_removed], [2, 4, 2]);
  assert.deepEqual(portsOf(cluster, wants({ version: "v2" })), [0]);
  assert.deepEqual(portsOf(cluster, wants({ version: "v7" })), [7]);
});
