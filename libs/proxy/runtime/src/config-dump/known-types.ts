import { createRegistry, type Registry } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { ClusterConfigSchema as AggregateClusterSchema } from "@fairlead/envoy-api/envoy/extensions/clusters/aggregate/v3/cluster_pb.js";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "@fairlead/envoy-api/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { BrotliSchema } from "@fairlead/envoy-api/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { ZstdSchema } from "@fairlead/envoy-api/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js";
import {
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import {
  CompressorPerRouteSchema,
  CompressorSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { CorsPolicySchema, CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { HttpInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { ProxyProtocolSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { TlsInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { ConnectionLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { LeastRequestSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import { RingHashSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { PreviousPrioritiesConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { OmitHostMetadataConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { PreviousHostsPredicateSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";

/** What is inside an Any of ours. */
const ours = createRegistry(
  RouterSchema,
  RpcProxySchema,
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  StderrAccessLogSchema,
  HTTPFaultSchema,
  CorsSchema,
  CorsPolicySchema,
  LocalRateLimitSchema,
  BufferSchema,
  BufferPerRouteSchema,
  HeaderMutationSchema,
  HeaderMutationPerRouteSchema,
  HealthCheckSchema,
  FilterConfigSchema,
  TcpProxySchema,
  TlsInspectorSchema,
  HttpInspectorSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  PreviousPrioritiesConfigSchema,
  HttpConnectionManagerSchema,
  ProxyProtocolSchema,
  OriginalDstSchema,
  ConnectionLimitSchema,
  AggregateClusterSchema,
  OmitHostMetadataConfigSchema,
  PreviousHostsPredicateSchema,
  HttpProtocolOptionsSchema,
  CompressorSchema,
  CompressorPerRouteSchema,
  GzipSchema,
  BrotliSchema,
  ZstdSchema,
  RoundRobinSchema,
  LeastRequestSchema,
  RandomSchema,
  RingHashSchema,
  MaglevSchema,
);

/** What is a third party's is shown by its type alone: its fields are not known here, and its bytes may hold secrets. */
export const knownTypes: Registry = {
  kind: ours.kind,
  [Symbol.iterator]: () => ours[Symbol.iterator](),
  get: (typeName) => ours.get(typeName),
  getEnum: (typeName) => ours.getEnum(typeName),
  getExtension: (typeName) => ours.getExtension(typeName),
  getExtensionFor: (extendee, number) => ours.getExtensionFor(extendee, number),
  getService: (typeName) => ours.getService(typeName),
  getMessage: (typeName) => ours.getMessage(typeName) ?? { ...EmptySchema, typeName },
};
