export { compile, type CompiledMesh, type RejectedCompile } from "./compile.ts";
export { inboundClusterName, inboundListenerName, outboundClusterName, outboundListenerName } from "./names.ts";
