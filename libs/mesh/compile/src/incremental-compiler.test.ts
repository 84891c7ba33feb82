import assert from "node:assert/strict";
import { test } from "node:test";
import { CatalogueReplica, type Change, policyKey, serviceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import * as fc from "fast-check";
import { compile, type CompiledMesh, type CompileRound, IncrementalCompiler, nothingBefore } from "./index.ts";
import { arbitraryChange } from "./testing/arbitrary-changes.ts";

/** All that leaves the compiler, to the byte and whatever the order of maps. */
function everythingOf({ revision, resources, scopes, nodes, rejected, policiesInForce }: CompiledMesh): unknown {
  return {
    revision,
    resources: new Map([...resources].map(([key, { body, ...more }]) => [key, { ...more, body: hex(body) }])),
    scopes,
    nodes,
    rejected,
    policiesInForce,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Follows a compiler by what it says has changed. */
class Follower {
  readonly resources = new Map<string, unknown>();
  readonly scopes = new Map<string, unknown>();
  readonly nodes = new Map<string, unknown>();
  readonly policiesInForce = new Map<string, unknown>();

  take({ resources, scopes, nodes, policies }: CompileRound): void {
    for (const resource of resources.changed) this.resources.set(resource.key, resource);
    for (const scope of scopes.changed) this.scopes.set(scope.id, scope);
    for (const node of nodes.changed) this.nodes.set(node.nodeId, node);
    for (const policy of policies.changed)
      this.policiesInForce.set(`${policy.kind}/${policy.namespace}/${policy.name}`, policy);
    for (const key of resources.removed) this.resources.delete(key);
    for (const key of scopes.removed) this.scopes.delete(key);
    for (const key of nodes.removed) this.nodes.delete(key);
    for (const key of policies.removed) this.policiesInForce.delete(key);
  }
}

const arbitraryRounds = fc.array(fc.array(arbitraryChange, { maxLength: 4 }), { maxLength: 12 });

test("after any sequence of changes it holds what a compile from nothing gives, to the byte, rejections and last good state too", () => {
  fc.assert(
    fc.property(fc.array(arbitraryChange, { maxLength: 12 }), arbitraryRounds, (initial, rounds) => {
      const catalogue = new CatalogueReplica();
      for (const change of initial) catalogue.apply(change);
      const compiler = new IncrementalCompiler();
      const follower = new Follower();
      follower.take(compiler.reset(catalogue));
      let before = nothingBefore;
      const check = () => {
        const fromNothing = compile(catalogue, before);
        assert.deepEqual(everythingOf(compiler.mesh), everythingOf(fromNothing));
        for (const kind of ["resources", "scopes", "nodes", "policiesInForce"] as const)
          assert.deepEqual(follower[kind], compiler.mesh[kind]);
        before = fromNothing;
      };
      check();
      for (const [index, changes] of rounds.entries()) {
        for (const change of changes) catalogue.apply(change);
        catalogue.revision = index + 1;
        follower.take(compiler.apply(changes, catalogue.revision));
        check();
      }
      // A catalogue that is read anew changes nothing.
      const again = compiler.reset(catalogue);
      for (const kind of ["resources", "scopes", "nodes", "policies"] as const)
        assert.deepEqual(again[kind], { changed: [], removed: [] });
      check();
    }),
    { numRuns: 200 },
  );
});

test("changes in one round count as one: their order does not show", () => {
  fc.assert(
    fc.property(arbitraryRounds, (rounds) => {
      const compiler = new IncrementalCompiler();
      const reversed = new IncrementalCompiler();
      for (const [index, changes] of rounds.entries()) {
        const last = new Map(changes.map((change) => [`${change.kind} ${change.key}`, change]));
        compiler.apply(last.values(), index);
        reversed.apply([...last.values()].toReversed(), index);
        assert.deepEqual(everythingOf(compiler.mesh), everythingOf(reversed.mesh));
      }
    }),
    { numRuns: 60 },
  );
});

/** What proxies get, whenever it was compiled. */
function inForceOf({ resources, scopes, nodes, rejected, policiesInForce }: CompiledMesh): unknown {
  const bodies = new Map([...resources].map(([key, { body }]) => [key, hex(body)]));
  return { bodies, scopes, nodes, rejected, policiesInForce };
}

// What a failed computation gave last is each compiler's own memory; the weight is what makes one fail.
const compilable = arbitraryChange.filter(
  (change) => change.kind !== "instance" || change.value === undefined || change.value.weight < 2 ** 32,
);

test("one that has had other rounds holds the same once it falls back on what is in force elsewhere", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(compilable, { maxLength: 4 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (rounds, together) => {
        const catalogue = new CatalogueReplica();
        const active = new IncrementalCompiler();
        const standby = new IncrementalCompiler();
        for (const compiler of [active, standby]) compiler.reset(catalogue);
        for (const [index, changes] of rounds.entries()) {
          for (const change of changes) catalogue.apply(change);
          active.apply(changes, index + 1);
          const isCut = (index + 1) % together === 0 || index === rounds.length - 1;
          if (isCut) standby.apply(rounds.slice(index - (index % together), index + 1).flat(), index + 1);
        }
        standby.fallBackOn(active.mesh.policiesInForce);
        assert.deepEqual(inForceOf(standby.mesh), inForceOf(active.mesh));
        const { policiesInForce } = active.mesh;
        assert.deepEqual(
          inForceOf(standby.mesh),
          inForceOf(compile(catalogue, { ...nothingBefore, policiesInForce })),
          "as after a restart",
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("of a rejected policy the text that others have in force counts, not the last good one of rounds of its own", () => {
  const catalogue = new CatalogueReplica();
  const service = { interface: "shop.A", protocol: "http" } as const;
  catalogue.services.set(serviceKey(service), service);
  const policy = (destination: string, timeout: string): Change => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {hosts: [shop.A], http: [{timeout: ${timeout}, route: [{destination: {host: ${destination}}}]}]}\n`;
    const value = parsePolicies(text, { file: "p.yaml" }).policies[0]!.object;
    return { kind: "policy", key: policyKey(value), value, revision: 0 };
  };
  const [first, second, bad] = [policy("shop.A", "1s"), policy("shop.A", "2s"), policy("no.Such", "3s")];
  const [active, standby] = [new IncrementalCompiler(), new IncrementalCompiler()];
  for (const compiler of [active, standby]) {
    compiler.reset(catalogue);
    compiler.apply([first], 1);
  }
  active.apply([second], 2);
  active.apply([bad], 3);
  standby.apply([second, bad], 3);
  assert.notDeepEqual(inForceOf(standby.mesh), inForceOf(active.mesh));
  standby.fallBackOn(active.mesh.policiesInForce);
  assert.deepEqual(inForceOf(standby.mesh), inForceOf(active.mesh));
});
