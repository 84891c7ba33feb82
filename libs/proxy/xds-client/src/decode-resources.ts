import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { DiscoveryResponse } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { ReceivedResource, RejectedResource } from "./config-consumer.ts";

/** Cluster, ClusterLoadAssignment, Listener, RouteConfiguration and Secret all have their name in field 1. */
const nameField = 1;

/**
 * Reads a resource's name without decoding the rest, which its consumer decodes. The other fields are
 * walked over, so that a cut-off message shows here.
 */
function nameOf(body: Uint8Array): string {
  const reader = new BinaryReader(body);
  let name = "";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === nameField && wireType === WireType.LengthDelimited) name = reader.string(true);
    else reader.skip(wireType, field);
  }
  return name;
}

/**
 * The resources of a response with their names. When one cannot be told by name, nothing of the response may be applied:
 * in the state of the world its absence would be its deletion.
 */
export function decodeResources(
  response: DiscoveryResponse,
): { readonly resources: readonly ReceivedResource[] } | { readonly unusable: readonly RejectedResource[] } {
  const resources: ReceivedResource[] = [];
  const unusable: RejectedResource[] = [];
  const seen = new Set<string>();
  for (const [index, { typeUrl, value }] of response.resources.entries()) {
    const position = `resources[${index}]`;
    if (typeUrl !== response.typeUrl) {
      unusable.push({
        name: position,
        reason: `it is a ${typeUrl || "message without a type"}, not a ${response.typeUrl}`,
      });
      continue;
    }
    let name: string;
    try {
      name = nameOf(value);
    } catch (error) {
      unusable.push({ name: position, reason: `it is not well-formed protobuf: ${String(error)}` });
      continue;
    }
    if (name === "") unusable.push({ name: position, reason: "it has no name" });
    else if (seen.has(name)) unusable.push({ name, reason: "the name is in the response twice" });
    else resources.push({ name, body: value });
    seen.add(name);
  }
  return unusable.length > 0 ? { unusable } : { resources };
}
