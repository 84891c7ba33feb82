import { create, createRegistry, fromBinary, getOption, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { DataSourceSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
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
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { sensitive } from "@fairlead/envoy-api/udpa/annotations/sensitive_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";

/** What can be shown. Another message inside an Any is shown by its type and size. */
const shown = createRegistry(
  ClusterSchema,
  ClusterLoadAssignmentSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  SecretSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  RpcProxySchema,
  DubboProxySchema,
  RouterSchema,
  CorsSchema,
  CorsPolicySchema,
  HTTPFaultSchema,
  TlsInspectorSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
  StringValueSchema,
);

const redacted = "[redacted]";

/** The body of a resource as protobuf JSON, without what Envoy's schema marks as sensitive. */
export function readableBody(typeUrl: string, body: Uint8Array): JsonValue {
  const schema = shown.getMessage(nameIn(typeUrl));
  if (schema === undefined) return wordsFor(typeUrl, body);
  const message = fromBinary(schema, body);
  redact(reflect(schema, message));
  return toJson(schema, message, { registry: shown });
}

function nameIn(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

function wordsFor(typeUrl: string, body: Uint8Array): string {
  return `${body.byteLength} bytes of ${nameIn(typeUrl)}, which is not shown`;
}

function redact(message: ReflectMessage): void {
  if (message.desc.typeName === AnySchema.typeName) {
    redactAny(message.message as Any);
    return;
  }
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (getOption(field, sensitive)) {
      if (field.fieldKind === "message" && field.message.typeName === DataSourceSchema.typeName) {
        const words = create(DataSourceSchema, { specifier: { case: "inlineString", value: redacted } });
        message.set(field, reflect(DataSourceSchema, words));
      } else if (field.fieldKind === "scalar" && typeof message.get(field) === "string") {
        message.set(field, redacted);
      } else {
        message.clear(field);
      }
    } else if (field.fieldKind === "message") {
      redact(message.get(field));
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) redact(item as ReflectMessage);
    } else if (field.fieldKind === "map" && field.mapKind === "message") {
      for (const item of message.get(field).values()) redact(item as ReflectMessage);
    }
  }
}

/** What is packed is read, redacted and packed again; what cannot be read is replaced by words: it may hold anything. */
function redactAny(any: Any): void {
  const schema = shown.getMessage(nameIn(any.typeUrl));
  if (schema === undefined) {
    any.value = toBinary(StringValueSchema, create(StringValueSchema, { value: wordsFor(any.typeUrl, any.value) }));
    any.typeUrl = `type.googleapis.com/${StringValueSchema.typeName}`;
    return;
  }
  const inner = fromBinary(schema, any.value);
  redact(reflect(schema, inner));
  any.value = toBinary(schema, inner);
}
