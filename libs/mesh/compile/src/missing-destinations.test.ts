import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CatalogueReplica, type Change, policyKey, type Protocol, serviceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { compile, IncrementalCompiler, nothingBefore } from "./index.ts";
import { jsonOf } from "./testing/json-of.ts";
import { policy, routesTo, virtualHosts, viewOf } from "./testing/mesh-under-test.ts";

const nowhere = "outbound|http||missing~destination";
const routes = policy(
  "VirtualService",
  "routes",
  "{hosts: [shop.A], http: [{match: [{uri: {prefix: /b}}], route: [{destination: {host: shop.B}}]}, {route: [{destination: {host: shop.A, subset: v1}}]}]}",
);
const wider = policy("VirtualService", "wider", "{hosts: [shop.A], http: [{route: [{destination: {host: shop.C}}]}]}");
const subsets = (...names: string[]) =>
  policy(
    "DestinationRule",
    "rule",
    `{host: shop.A, subsets: [${names.map((name) => `{name: ${name}, labels: {version: ${name}}}`).join(", ")}]}`,
  );

/** Applies changes to a compiler, and holds each round against a compile from nothing and against one after a restart. */
class Mesh {
  readonly #catalogue = new CatalogueReplica();
  readonly compiler = new IncrementalCompiler();

  constructor() {
    this.compiler.reset(this.#catalogue);
    this.#take(
      ["shop.A", "shop.B", "shop.C"].map((name) => this.#service(name, true)),
      {
        kind: "node",
        key: "n",
        revision: 0,
        value: { id: "n", app: "n", address: "10.0.0.1", outboundPort: 1, labels: {} },
      },
    );
  }

  #service(name: string, isThere: boolean): Change {
    const value = { interface: name, protocol: "http" as Protocol };
    return { kind: "service", key: serviceKey(value), revision: 0, value: isThere ? value : undefined };
  }

  apply(text: string): void {
    this.#take(
      parsePolicies(text, { file: "p.yaml" }).policies.map(({ object }) => ({
        kind: "policy",
        key: policyKey(object),
        revision: 0,
        value: object,
      })),
    );
  }

  remove(kind: "VirtualService" | "DestinationRule", name: string): void {
    this.#take([{ kind: "policy", key: `${kind}/default/${name}`, revision: 0, value: undefined }]);
  }

  removeService(name: string): void {
    this.#take([this.#service(name, false)]);
  }

  #take(changes: readonly Change[], ...more: readonly Change[]): void {
    const all = [...changes, ...more];
    for (const change of all) this.#catalogue.apply(change);
    this.#catalogue.revision += 1;
    this.compiler.apply(all, this.#catalogue.revision);
    const { policiesInForce } = this.compiler.mesh;
    const restarted = compile(this.#catalogue, { ...nothingBefore, policiesInForce });
    for (const [mesh, how] of [[restarted, "after a restart"]] as const) {
      assert.deepEqual(virtualHosts(mesh), virtualHosts(this.compiler.mesh), how);
      assert.deepEqual(mesh.rejected, this.compiler.mesh.rejected, how);
    }
  }

  /** Where the calls of shop.A go, route by route. */
  get clusters(): unknown[] {
    return routesTo(this.compiler.mesh, "shop.A", "n")!.map(({ route }) => (route as { cluster: string }).cluster);
  }

  get rejected(): unknown[] {
    return this.compiler.mesh.rejected.map(({ code, message, provenance }) => [
      code,
      message.replace(/^.*: /, ""),
      provenance.file,
      provenance.line,
    ]);
  }
}

const followed = ["outbound|http||shop.B", "outbound|http|v1|shop.A"];

function meshThatFollows(): Mesh {
  const mesh = new Mesh();
  mesh.apply(subsets("v1", "v2") + routes);
  assert.deepEqual([mesh.clusters, mesh.rejected], [followed, []]);
  return mesh;
}

describe("calls to a destination that is no longer there get 503 and go nowhere else:", () => {
  const noSubset = [
    "FL_POLICY_DESTINATION_UNKNOWN",
    "no DestinationRule of shop.A has the subset v1; calls that it sends there get 503",
    "p.yaml",
    7,
  ];

  test("a subset that its rule has lost", () => {
    const mesh = meshThatFollows();
    mesh.apply(subsets("v2"));
    assert.deepEqual(mesh.clusters, [followed[0], nowhere]);
    assert.deepEqual(mesh.rejected, [noSubset]);
    mesh.apply(subsets("v1"));
    assert.deepEqual([mesh.clusters, mesh.rejected], [followed, []]);
  });

  test("a subset whose rule is deleted", () => {
    const mesh = meshThatFollows();
    mesh.remove("DestinationRule", "rule");
    assert.deepEqual(mesh.clusters, [followed[0], nowhere]);
    assert.deepEqual(mesh.rejected, [noSubset]);
  });

  test("a service that is gone", () => {
    const mesh = meshThatFollows();
    mesh.removeService("shop.B");
    assert.deepEqual(mesh.clusters, [nowhere, followed[1]]);
    assert.match(JSON.stringify(mesh.rejected), /the service shop\.B is not registered.*get 503/);
  });

  test("though another VirtualService of the host takes all calls", () => {
    const mesh = meshThatFollows();
    mesh.apply(wider);
    mesh.remove("DestinationRule", "rule");
    assert.deepEqual(mesh.clusters, [followed[0], nowhere, "outbound|http||shop.C"]);
  });

  test("of several destinations those that are there have their share", () => {
    const mesh = new Mesh();
    const spec =
      "{hosts: [shop.A], http: [{route: [{destination: {host: shop.B}, weight: 90}, {destination: {host: shop.A, subset: v1}, weight: 10}]}]}";
    mesh.apply(subsets("v1") + policy("VirtualService", "shares", spec));
    mesh.remove("DestinationRule", "rule");
    const [route] = routesTo(mesh.compiler.mesh, "shop.A", "n")!;
    assert.partialDeepStrictEqual(route!, {
      route: {
        weightedClusters: {
          clusters: [
            { name: "outbound|http||shop.B", weight: 90 },
            { name: nowhere, weight: 10 },
          ],
        },
      },
    });
  });
});

test("who has a route to nowhere has the cluster that it leads to, without endpoints; nobody else has", () => {
  const mesh = meshThatFollows();
  assert.equal(mesh.compiler.mesh.resources.has(`cds/${nowhere}`), false);
  mesh.remove("DestinationRule", "rule");
  const view = viewOf(mesh.compiler.mesh, "n");
  assert.ok(view.has(`cds/${nowhere}`) && view.has(`eds/${nowhere}`));
  assert.deepEqual(jsonOf(mesh.compiler.mesh, `eds/${nowhere}`), { clusterName: nowhere });
  mesh.apply(subsets("v1"));
  assert.equal(mesh.compiler.mesh.resources.has(`cds/${nowhere}`), false);
});

test("a text that cannot be followed leaves the one before in force, until that cannot be followed either", () => {
  const mesh = new IncrementalCompiler();
  const catalogue = new CatalogueReplica();
  for (const name of ["shop.A", "shop.B"]) {
    const service = { interface: name, protocol: "http" as const };
    catalogue.services.set(serviceKey(service), service);
  }
  const apply = (text: string) => {
    for (const { object } of text === "" ? [] : parsePolicies(text, { file: "p.yaml" }).policies)
      catalogue.policies.set(policyKey(object), object);
    mesh.reset(catalogue);
    return routesTo(mesh.mesh, "shop.A")!.map(({ name, route }) => [name, (route as { cluster: string }).cluster]);
  };
  const to = (name: string, host: string) =>
    policy(
      "VirtualService",
      "vs",
      `{hosts: [shop.A], http: [{name: ${name}, route: [{destination: {host: ${host}}}]}]}`,
    );
  assert.deepEqual(apply(to("first", "shop.B")), [["first", "outbound|http||shop.B"]]);
  assert.deepEqual(apply(to("second", "shop.Nobody")), [["first", "outbound|http||shop.B"]]);
  catalogue.services.delete(serviceKey({ interface: "shop.B", protocol: "http" }));
  assert.deepEqual(apply(""), [["second", nowhere]]);
});
