import assert from "node:assert/strict";
import { createRegistry, type DescMessage, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { CorsPolicySchema, CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { TlsInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { DubboProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/dubbo_proxy/v3/dubbo_proxy_pb.js";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { LeastRequestSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import { RoundRobinSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { PreviousHostsPredicateSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { RawBufferSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";
import type { CompiledMesh } from "../index.ts";

/** All that an Any of a compiled resource may hold. */
export const registry = createRegistry(
  HttpConnectionManagerSchema,
  RouterSchema,
  CorsSchema,
  CorsPolicySchema,
  HTTPFaultSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
  HttpProtocolOptionsSchema,
  UpstreamTlsContextSchema,
  DownstreamTlsContextSchema,
  TlsInspectorSchema,
  TcpProxySchema,
  RawBufferSchema,
  LeastRequestSchema,
  MaglevSchema,
  RandomSchema,
  RoundRobinSchema,
  RpcProxySchema,
  DubboProxySchema,
);

const schemas: Readonly<Record<string, DescMessage>> = {
  [typeUrls.cluster]: ClusterSchema,
  [typeUrls.endpoint]: ClusterLoadAssignmentSchema,
  [typeUrls.listener]: ListenerSchema,
  [typeUrls.route]: RouteConfigurationSchema,
};

/** A resource as Envoy's documentation writes it. */
export function jsonOf(mesh: CompiledMesh, key: string): JsonValue {
  const resource = mesh.resources.get(key);
  assert.ok(resource, `${key} is not there; there are ${[...mesh.resources.keys()].join(", ")}`);
  const schema = schemas[resource.typeUrl]!;
  return toJson(schema, fromBinary(schema, resource.body), { registry });
}
