import { type DescMessage, fromBinary, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { knownTypes } from "./known-types.ts";

const schemas: Readonly<Record<string, DescMessage>> = {
  [typeUrls.cluster]: ClusterSchema,
  [typeUrls.endpoint]: ClusterLoadAssignmentSchema,
  [typeUrls.listener]: ListenerSchema,
  [typeUrls.route]: RouteConfigurationSchema,
  [typeUrls.secret]: SecretSchema,
};

/**
 * A resource as protobuf's JSON, with the names of the .proto, as Envoy writes it. Decoded when somebody asks: its bytes are all
 * that is kept. Private keys are not in it.
 *
 * @throws Error for bytes that are no such message
 */
export function resourceJson(typeUrl: string, body: Uint8Array): JsonObject {
  const schema = schemas[typeUrl];
  if (schema === undefined) throw new Error(`there are no resources of type ${typeUrl}`);
  const json = toJson(schema, fromBinary(schema, body), { registry: knownTypes, useProtoFieldName: true });
  return withoutSecrets(json) as JsonObject;
}

/** What Envoy marks as sensitive in the messages that are taken, and a gRPC service's own credentials, which it does not. */
const sensitive: ReadonlySet<string> = new Set([
  "private_key",
  "pkcs12",
  "password",
  "session_ticket_keys",
  "generic_secret",
  "access_token",
  "google_refresh_token",
  "json_key",
  "authorization_token",
]);
/** Where a secret is to be read from may be seen. */
const places: ReadonlySet<string> = new Set(["filename", "environment_variable", "path"]);
const REDACTED = "[redacted]";

function withoutSecrets(json: JsonValue): JsonValue {
  return mapEntries(json, (key, value) => (sensitive.has(key) ? redacted(value) : withoutSecrets(value)));
}

/** Keeps the message's shape, as Envoy does: its readers find a string where they expect one, and base64 where bytes are. */
function redacted(json: JsonValue): JsonValue {
  if (typeof json === "string") return REDACTED;
  return mapEntries(json, (key, value) => {
    if (places.has(key)) return value;
    return key === "inline_bytes" ? Buffer.from(REDACTED).toString("base64") : redacted(value);
  });
}

function mapEntries(json: JsonValue, map: (key: string, value: JsonValue) => JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map((one) => mapEntries(one, map));
  if (json === null || typeof json !== "object") return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, map(key, value)]));
}
