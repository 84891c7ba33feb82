export {
  type ConnectionFacts,
  type ListenerFilter,
  listenerFilterReader,
  type ListenerFilterReader,
  listenerFilterTypes,
  registerListenerFilter,
} from "./listener-filter.ts";
export { InternalAddresses } from "./internal-addresses.ts";
export { BufferConfig, bufferFilter } from "./filters/buffer.ts";
export {
  type CompressorLibrary,
  CompressorOverride,
  compressorFilter,
  type CompressorSpec,
} from "./filters/compressor.ts";
export { CorsConfig, corsFilter, type CorsSpec } from "./filters/cors.ts";
export { FaultConfig, faultFilter } from "./filters/fault.ts";
export type { FaultSpec } from "./filters/fault-spec.ts";
export { HeaderMutationConfig, headerMutationFilter } from "./filters/header-mutation.ts";
export { healthCheckFilter } from "./filters/health-check.ts";
export { LocalRateLimit, localRateLimitFilter } from "./filters/local-rate-limit.ts";
export { type TokenBucketOptions } from "./filters/token-bucket.ts";
export {
  type CertificateDetails,
  type CertificateForwarding,
  clientCertificateRule,
} from "./rules/client-certificate.ts";
export { stripPortRule, stripTrailingDotRule } from "./rules/host-port.ts";
export type { RequestRule, ResponseRule } from "./rules/rule.ts";
export { strictChecks } from "./strict-headers.ts";
export { underscoreRule } from "./rules/underscore-headers.ts";
export { addVia } from "./rules/via.ts";
export { ConnectionManager, type ConnectionManagerContext } from "./connection-manager.ts";
export { type ConnectionManagerConfig, connectionManagerDefaults } from "./connection-manager-config.ts";
export { compileHeaderTemplate, templateOperators } from "./header-template.ts";
export {
  compileJsonFormat,
  compileTextFormat,
  defaultTextFormat,
  isResponseFlag,
  type LogFormat,
} from "./format/index.ts";
export { VirtualHostStats } from "./virtual-host-stats.ts";
export { HttpStats } from "./http-stats.ts";
export { type LocalReply, type LocalReplyMapper } from "./local-reply.ts";
/** So that filters of others need no other package for what they use again. */
export { ObjectPool, type PoolContext, type PoolKind, threadPools } from "@fairlead/pool";
export {
  type ConfiguredFilter,
  type FilterPlace,
  type FilterStatus,
  registerRouteConfig,
  registerStreamFilter,
  type RouteConfigReader,
  routeConfigReader,
  type StreamFilter,
  type StreamFilterCallbacks,
  type StreamFilterFactory,
  type StreamFilterReader,
  streamFilterReader,
} from "./stream-filter.ts";
export { type BodyTransform, usedOnce } from "./transformed-body.ts";
export { type TcpProxyContext } from "./tcp-connection.ts";
export { TcpProxy } from "./tcp-proxy.ts";
export { type TcpCluster, type TcpProxyConfig, TcpStats } from "./tcp-proxy-config.ts";
export {
  type NetworkFilter,
  type NetworkFilterCallbacks,
  networkFilterReader,
  type NetworkFilterReader,
  networkFilterTypes,
  registerNetworkFilter,
} from "./network-filter.ts";
export { type ResponseFlag, StreamInfo } from "./stream-info.ts";
export { ResponseDrain, type ServerHealth } from "./response-drain.ts";
