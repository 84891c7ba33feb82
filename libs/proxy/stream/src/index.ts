export { type ConnectionAddresses, passAddresses, tellAddresses, toldAddresses } from "./connection-addresses.ts";
export { HeaderMap } from "./header-map.ts";
export { http1StreamFactory } from "./http1/http1-stream-factory.ts";
export { http2StreamFactory } from "./http2/http2-stream-factory.ts";
export { type KeepAliveOptions } from "./http2/keep-alive.ts";
export { copyOfHead, type LocalCause, type RequestHead, type ResponseHead } from "./message.ts";
export { defaultAbuseLimits, Http2Stats } from "@fairlead/codec-http2";
export { type DetectionEvents, negotiatedProtocol, ProtocolDetection } from "./protocol-detection.ts";
export { type ResetReason } from "./reset-reason.ts";
export { detectRpc } from "./rpc/rpc-detection.ts";
export { RpcRequestHead, RpcResponseHead } from "./rpc/rpc-head.ts";
export { connectionIdOf, connectionInfoOf } from "./connection-info.ts";
export { waitingBytes } from "./stream-handle.ts";
export { pipeBytes } from "./tcp/byte-pipe.ts";
export { tcpStreamFactory } from "./tcp/tcp-stream-factory.ts";
export { rpcProtocols, rpcStreamFactory } from "./rpc/rpc-stream-factory.ts";
export {
  type ClientConnection,
  type ClientConnectionEvents,
  type ConnectionInfo,
  type ServerConnection,
  type ServerConnectionEvents,
  type StreamReceiver,
  type StreamSender,
  type TlsInfo,
} from "./stream.ts";
export {
  type ConnectionOptions,
  type Http1Options,
  type Http2Options,
  registerStreamFactory,
  type ServerConnectionOptions,
  type StreamFactory,
  hasStreamFactory,
  streamFactory,
} from "./stream-factory.ts";
