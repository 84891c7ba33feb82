import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import * as fc from "fast-check";
import { type CompiledMesh, IncrementalCompiler } from "./index.ts";
import { arbitraryChange } from "./testing/arbitrary-changes.ts";
import { jsonOf } from "./testing/json-of.ts";
import { viewOf } from "./testing/mesh-under-test.ts";

/** All clusters that a resource sends requests, connections or copies to. */
const namedCluster = /"(?:cluster|name)":"((?:outbound|inbound)\|[^"]*)"/g;
const namedRoutes = /"routeConfigName":"([^"]*)"/g;

/** Whatever a view's routes and listeners name is in the view, and every key of it is a resource. */
function assertComplete(mesh: CompiledMesh, view: ReadonlySet<string>): void {
  const held = [...view].map((key) => mesh.resources.get(key) ?? assert.fail(`${key} is no resource`));
  const namesOf = (type: string) => new Set(held.filter(({ typeUrl }) => typeUrl === type).map(({ name }) => name));
  const [clusters, routes] = [namesOf(typeUrls.cluster), namesOf(typeUrls.route)];
  for (const { key, typeUrl } of held) {
    if (typeUrl !== typeUrls.route && typeUrl !== typeUrls.listener) continue;
    const text = JSON.stringify(jsonOf(mesh, key));
    for (const [, name] of text.matchAll(namedCluster)) assert.ok(clusters.has(name!), `${key} names ${name}`);
    for (const [, name] of text.matchAll(namedRoutes)) assert.ok(routes.has(name!), `${key} names ${name}`);
  }
}

/** Enough that most of what changes can name is there: Gateways with routes too. */
const arbitraryMesh = fc.array(arbitraryChange, { minLength: 60, maxLength: 150, size: "max" });

test("after any changes no view names what it lacks: routes and listeners of nodes, of Gateways, and of those that nobody registered", () => {
  fc.assert(
    fc.property(
      arbitraryMesh,
      fc.array(fc.array(arbitraryChange, { maxLength: 6 }), { maxLength: 4 }),
      (first, rounds) => {
        const compiler = new IncrementalCompiler();
        for (const [index, changes] of [first, ...rounds].entries()) {
          compiler.apply(changes, index + 1);
          const { mesh } = compiler;
          for (const { keys } of mesh.scopes.values()) assertComplete(mesh, keys);
          for (const nodeId of mesh.nodes.keys()) assertComplete(mesh, viewOf(mesh, nodeId));
        }
      },
    ),
    { numRuns: 100 },
  );
});
