import { create, fromBinary, type MessageInitShape, toBinary, type UnknownField } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { XdsVariant } from "./discovery-paths.ts";

/** A request of either variant: only the fields of the variant are encoded. */
export interface WireRequest {
  readonly node?: { readonly id: string; readonly cluster?: string; readonly clientFeatures?: string[] } | undefined;
  readonly typeUrl: string;
  readonly nonce?: string;
  readonly error?: { readonly code?: number; readonly message: string } | undefined;
  /** State of the world. */
  readonly names?: readonly string[];
  readonly version?: string;
  /** Delta. */
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initialVersions?: Readonly<Record<string, string>>;
}

/** A response of either variant. */
export interface WireResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** version_info or system_version_info. */
  readonly version: string;
  readonly controlPlane: string;
  readonly resources: readonly WireResource[];
  /** Delta: removed_resources. */
  readonly removed: readonly string[];
  /** resource_errors, `name: code`: a field newer than our protos. */
  readonly errors: readonly string[];
}

export interface WireResource {
  /** Delta: of the Resource. State of the world: of nothing, so empty. */
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  readonly hasTtl: boolean;
  /** Of the Any. */
  readonly typeUrl: string;
  readonly body: Uint8Array;
}

/** ResourceError: 1 resource_name (1 name), 2 error_detail (1 code, 2 message). */
function resourceErrors(unknown: readonly UnknownField[] | undefined, field: number): string[] {
  return (unknown ?? [])
    .filter(({ no }) => no === field)
    .map(({ data }) => {
      const error = fieldsOf(new BinaryReader(data).bytes());
      const name = fieldsOf(error.get(1) ?? new Uint8Array()).get(1) ?? new Uint8Array();
      const code = new BinaryReader((error.get(2) ?? new Uint8Array()).subarray(1)).int32();
      return `${Buffer.from(name).toString()}: ${code}`;
    });
}

/** The fields of a message that are bytes, by number. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) fields.set(number, reader.bytes());
    else reader.skip(wireType);
  }
  return fields;
}

export function encodeRequest(variant: XdsVariant, request: WireRequest): Buffer {
  const { node, typeUrl, nonce = "", error } = request;
  const common = {
    ...(node === undefined ? {} : { node: { cluster: "test-app", userAgentName: "xds-test-client", ...node } }),
    typeUrl,
    responseNonce: nonce,
    ...(error === undefined ? {} : { errorDetail: { code: 13, ...error } }),
  };
  if (variant === "sotw") {
    const init = { ...common, resourceNames: [...(request.names ?? [])], versionInfo: request.version ?? "" };
    return Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, init)));
  }
  const init: MessageInitShape<typeof DeltaDiscoveryRequestSchema> = {
    ...common,
    resourceNamesSubscribe: [...(request.subscribe ?? [])],
    resourceNamesUnsubscribe: [...(request.unsubscribe ?? [])],
    initialResourceVersions: { ...request.initialVersions },
  };
  return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, init)));
}

export function decodeResponse(variant: XdsVariant, bytes: Uint8Array): WireResponse {
  if (variant === "sotw") {
    const message = fromBinary(DiscoveryResponseSchema, bytes);
    return {
      typeUrl: message.typeUrl,
      nonce: message.nonce,
      version: message.versionInfo,
      controlPlane: message.controlPlane?.identifier ?? "",
      resources: message.resources.map(({ typeUrl, value }) => ({
        name: "",
        version: "",
        aliases: [],
        hasTtl: false,
        typeUrl,
        body: value,
      })),
      removed: [],
      errors: resourceErrors(message.$unknown, 7),
    };
  }
  const message = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    typeUrl: message.typeUrl,
    nonce: message.nonce,
    version: message.systemVersionInfo,
    controlPlane: message.controlPlane?.identifier ?? "",
    resources: message.resources.map(({ name, version, aliases, ttl, resource }) => ({
      name,
      version,
      aliases,
      hasTtl: ttl !== undefined,
      typeUrl: resource?.typeUrl ?? "",
      body: resource?.value ?? new Uint8Array(),
    })),
    removed: message.removedResources,
    errors: resourceErrors(message.$unknown, 9),
  };
}
