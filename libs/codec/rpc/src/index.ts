export { FrameCollector, type FrameLayout } from "./frame-collector.ts";
export { defaultFrameLimits, type FrameLimits, MAX_ATTACHMENTS } from "./frame-limits.ts";
export type { RpcCall } from "./rpc-call.ts";
export { rpcError, type RpcErrorCode } from "./rpc-error.ts";
export type { RpcFrame, RpcFrameKind } from "./rpc-frame.ts";
export type { RpcFailure, RpcOutcome, RpcProtocol } from "./rpc-protocol.ts";
