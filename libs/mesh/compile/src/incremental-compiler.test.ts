import assert from "node:assert/strict";
import { test } from "node:test";
import { CatalogueReplica } from "@fairlead/model";
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
