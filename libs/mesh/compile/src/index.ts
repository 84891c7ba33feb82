export { compile } from "./compile.ts";
export {
  type CompiledBefore,
  type CompiledMesh,
  type CompileRound,
  IncrementalCompiler,
  nothingBefore,
  type RejectedCompile,
} from "./incremental-compiler.ts";
export type { Changes, MeshDifference } from "./mesh-state.ts";
export { inboundClusterName, inboundListenerName, outboundClusterName, outboundListenerName } from "./names.ts";
