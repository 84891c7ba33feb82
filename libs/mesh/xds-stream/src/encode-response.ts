import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ResponsePlan } from "./contents.ts";
import { deltaResources, sotwResources } from "./encode-resources.ts";

export interface ResponseFields {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Shown by Envoy as `control_plane.identifier`. */
  readonly controlPlane: string;
  readonly plan: ResponsePlan;
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

/** What the same gateway writes into each response of a type: type_url, or control_plane. */
const known = new Map<string, Uint8Array>();
/** xDS has a dozen types, and clients may ask for any: beyond this, what is known is forgotten. */
const maxKnown = 256;

function remembered(field: number, value: string, encode: () => Uint8Array): Uint8Array {
  const key = `${field} ${value}`;
  let bytes = known.get(key);
  if (bytes === undefined) {
    bytes = encode();
    if (known.size >= maxKnown) known.clear();
    known.set(key, bytes);
  }
  return bytes;
}

function typeUrlField(typeUrl: string): Uint8Array {
  return remembered(4, typeUrl, () => {
    const writer = new BinaryWriter();
    text(writer, 4, typeUrl);
    return writer.finish();
  });
}

function controlPlaneField(field: number, controlPlane: string): Uint8Array {
  return remembered(field, controlPlane, () => {
    const writer = new BinaryWriter();
    message(writer, field, (inner) => text(inner, 1, controlPlane));
    return writer.finish();
  });
}

const maxShort = 127;

/** A field with a short text of ASCII: versions and nonces are. */
function shortField(field: number, value: string): Buffer {
  if (value.length > maxShort) throw new RangeError(`${value.length} characters; ${maxShort} fit`);
  const bytes = Buffer.allocUnsafe(2 + value.length);
  bytes[0] = (field << 3) | WireType.LengthDelimited;
  bytes[1] = value.length;
  bytes.write(value, 2, "latin1");
  return bytes;
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  const inner = new BinaryWriter();
  write(inner);
  writer.tag(field, WireType.LengthDelimited).bytes(inner.finish());
}

/**
 * envoy.service.discovery.v3.DiscoveryResponse:
 *
 *   1 version_info   2 resources   4 type_url   5 nonce   6 control_plane (1 identifier)
 */
export function encodeSotwResponse({ typeUrl, nonce, controlPlane, plan }: ResponseFields): Buffer {
  return Buffer.concat([
    shortField(1, plan.versionInfo),
    sotwResources.joined(plan.resources),
    typeUrlField(typeUrl),
    shortField(5, nonce),
    controlPlaneField(6, controlPlane),
  ]);
}

const notFound = 5;

/**
 * envoy.service.discovery.v3.DeltaDiscoveryResponse:
 *
 *   1 system_version_info   2 resources   4 type_url   5 nonce   6 removed_resources   7 control_plane (1 identifier)
 *   9 resource_errors (1 resource_name (1 name), 2 error_detail (1 code, 2 message)): newer than the protos that we build from
 */
export function encodeDeltaResponse({ typeUrl, nonce, controlPlane, plan }: ResponseFields): Buffer {
  return Buffer.concat([
    shortField(1, plan.versionInfo),
    deltaResources.joined(plan.resources),
    typeUrlField(typeUrl),
    shortField(5, nonce),
    controlPlaneField(7, controlPlane),
    ...(plan.removed.length === 0 ? [] : [goneFields(plan)]),
  ]);
}

function goneFields({ removed, missing }: ResponsePlan): Uint8Array {
  const writer = new BinaryWriter();
  for (const name of removed) text(writer, 6, name);
  for (const name of missing) {
    message(writer, 9, (error) => {
      message(error, 1, (resourceName) => text(resourceName, 1, name));
      message(error, 2, (status) => {
        status.tag(1, WireType.Varint).int32(notFound);
        text(status, 2, "does not exist");
      });
    });
  }
  return writer.finish();
}
