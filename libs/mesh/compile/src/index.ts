export { compile, type CompiledBefore, type CompiledMesh, nothingBefore, type RejectedCompile } from "./compile.ts";
export { inboundClusterName, inboundListenerName, outboundClusterName, outboundListenerName } from "./names.ts";
