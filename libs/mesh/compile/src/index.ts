export { compile, type CompiledMesh, type RejectedCompile } from "./compile.ts";
