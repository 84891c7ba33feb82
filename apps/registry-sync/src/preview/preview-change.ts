import type { Registry } from "@bufbuild/protobuf";
import { type CompiledMesh, IncrementalCompiler, nothingBefore } from "@fairlead/compile";
import type { Catalogue, PolicyObject } from "@fairlead/model";
import type { Preview } from "@fairlead/registration";
import { type DifferenceLimits, meshDifference } from "./mesh-difference.ts";
import { changesOf, type PolicyChange } from "./policy-change.ts";

/** The compiler's own maps change with its next round. */
function kept({ resources, scopes, nodes, rejected }: CompiledMesh) {
  return { resources: new Map(resources), scopes: new Map(scopes), nodes: new Map(nodes), rejected };
}

/**
 * Compiles the mesh as it is, then what the change concerns. Pure; takes as long as one compile.
 *
 * @param inForce what the compiler goes by instead of policies that it rejects, by key
 */
export function previewChange(
  catalogue: Catalogue,
  change: PolicyChange,
  inForce: ReadonlyMap<string, PolicyObject>,
  registry: Registry,
  limits: DifferenceLimits,
): Preview {
  const compiler = new IncrementalCompiler({ ...nothingBefore, policiesInForce: inForce });
  compiler.reset(catalogue);
  const before = kept(compiler.mesh);
  const revision = catalogue.revision + 1;
  compiler.apply(changesOf(change, revision), revision);
  return meshDifference(before, compiler.mesh, registry, limits);
}
