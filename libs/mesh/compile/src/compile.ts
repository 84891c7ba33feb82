import type { Catalogue } from "@fairlead/model";
import { type CompiledBefore, type CompiledMesh, IncrementalCompiler, nothingBefore } from "./incremental-compiler.ts";

/**
 * Compiles the whole mesh: pure, and deterministic to the byte whatever the order of the catalogue's maps. It is the first round of an
 * `IncrementalCompiler`.
 *
 * @param before what stays in force of an object that cannot be used now, and what keeps its revision where its content is the same
 */
export function compile(catalogue: Catalogue, before: CompiledBefore = nothingBefore): CompiledMesh {
  const compiler = new IncrementalCompiler(before);
  compiler.reset(catalogue);
  return compiler.mesh;
}
