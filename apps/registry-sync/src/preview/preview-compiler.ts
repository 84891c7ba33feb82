import type { Registry } from "@bufbuild/protobuf";
import { type CompiledMesh, IncrementalCompiler, nothingBefore, type RejectedCompile } from "@fairlead/compile";
import { type Catalogue, type Change, type PolicyObject, policyKey } from "@fairlead/model";
import type { Preview } from "@fairlead/registration";
import { type DifferenceLimits, meshDifference } from "./mesh-difference.ts";
import { changesOf, type PolicyChange } from "./policy-change.ts";

/** The compiler's own maps change with its next round. */
function kept({ resources, scopes, nodes, rejected }: CompiledMesh) {
  return { resources: new Map(resources), scopes: new Map(scopes), nodes: new Map(nodes), rejected };
}

/** What takes a change back. */
function inverseOf({ put, remove }: PolicyChange, { policies, revision }: Catalogue): Change[] {
  const keys = new Set([...put.map(policyKey), ...remove]);
  return [...keys].map((key) => ({ revision, kind: "policy", key, value: policies.get(key) }));
}

/**
 * Compiles a mesh as it is, and what a change would make of it. The first time it compiles all of the mesh; then only what differs from
 * the last time.
 */
export class PreviewCompiler {
  #compiler: IncrementalCompiler | undefined;

  /**
   * @param inForce what the config-compiler goes by instead of policies that it rejects, by key
   * @returns what is compiled of the catalogue as it is, and what the change would make of it
   */
  preview(
    catalogue: Catalogue,
    change: PolicyChange,
    inForce: ReadonlyMap<string, PolicyObject>,
    registry: Registry,
    limits: DifferenceLimits,
  ): Preview {
    const compiler = this.#compile(catalogue, inForce);
    const before = kept(compiler.mesh);
    // A compiler remembers what it took last of a policy that it rejects, and would go by what the dry run said of it.
    const remembers = before.rejected.some(({ provenance }) => provenance.kind === "policy");
    this.#compiler = undefined;
    compiler.apply(changesOf(change, catalogue.revision + 1), catalogue.revision + 1);
    const preview = meshDifference(before, compiler.mesh, registry, limits);
    if (remembers) return preview;
    compiler.apply(inverseOf(change, catalogue), catalogue.revision);
    this.#compiler = compiler;
    return preview;
  }

  /** What the config-compiler does not take of the catalogue as it is. */
  rejected(catalogue: Catalogue): readonly RejectedCompile[] {
    return this.#compile(catalogue, new Map()).mesh.rejected;
  }

  #compile(catalogue: Catalogue, inForce: ReadonlyMap<string, PolicyObject>): IncrementalCompiler {
    const compiler = this.#compiler ?? new IncrementalCompiler({ ...nothingBefore, policiesInForce: inForce });
    // One that fails on the way is not gone on with.
    this.#compiler = undefined;
    compiler.reset(catalogue);
    this.#compiler = compiler;
    return compiler;
  }
}
