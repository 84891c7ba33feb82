import { fromBinary, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { resourceSchemas } from "./envoy-messages.ts";

/** A resource as people read it, with the fields' names as Envoy's documentation has them. */
export function resourceJson(
  { typeUrl, body }: { readonly typeUrl: string; readonly body: Uint8Array },
  registry: Registry,
): JsonValue {
  const schema = resourceSchemas[typeUrl];
  if (schema === undefined) return { "@type": typeUrl, bytes: body.length };
  try {
    return toJson(schema, fromBinary(schema, body), { registry, useProtoFieldName: true });
  } catch (error) {
    // An Any of a newer compiler: its type is not in the registry.
    return { "@type": typeUrl, unreadable: error instanceof Error ? error.message : String(error) };
  }
}
