import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { CompiledResource } from "@fairlead/snapshot";

/*
 * envoy.service.discovery.v3.DiscoveryResponse, written from bodies that are already encoded:
 *
 *   1 version_info   2 resources (Any: 1 type_url, 2 value)   4 type_url   5 nonce   6 control_plane (1 identifier)
 *
 * What stands before a body is kept per resource, and a whole list's resources are kept per list, so that streams of an
 * equal view share all but version, nonce and the copy into the socket.
 */
export interface ResponseFields {
  readonly typeUrl: string;
  readonly versionInfo: string;
  readonly nonce: string;
  /** Shown by Envoy as `control_plane.identifier`. */
  readonly controlPlane: string;
  readonly resources: readonly CompiledResource[];
}

const heads = new WeakMap<CompiledResource, Uint8Array>();
const joinedLists = new WeakMap<readonly CompiledResource[], Uint8Array>();

/** The bytes of field 2 that precede a resource's body. */
function headOf(resource: CompiledResource): Uint8Array {
  const known = heads.get(resource);
  if (known !== undefined) return known;
  const bodyLength = resource.body.byteLength;
  const inner = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(resource.typeUrl)
    .tag(2, WireType.LengthDelimited)
    .uint32(bodyLength)
    .finish();
  const outer = new BinaryWriter()
    .tag(2, WireType.LengthDelimited)
    .uint32(inner.byteLength + bodyLength)
    .finish();
  const head = Buffer.concat([outer, inner]);
  heads.set(resource, head);
  return head;
}

function joined(list: readonly CompiledResource[]): Uint8Array {
  let bytes = joinedLists.get(list);
  if (bytes === undefined) {
    bytes = Buffer.concat(list.flatMap((resource) => [headOf(resource), resource.body]));
    joinedLists.set(list, bytes);
  }
  return bytes;
}

/** Bytes that a resource takes in a response. */
export function encodedSize(resource: CompiledResource): number {
  return headOf(resource).byteLength + resource.body.byteLength;
}

export function encodeResponse(fields: ResponseFields): Buffer {
  const version = new BinaryWriter().tag(1, WireType.LengthDelimited).string(fields.versionInfo).finish();
  const controlPlane = new BinaryWriter().tag(1, WireType.LengthDelimited).string(fields.controlPlane).finish();
  const rest = new BinaryWriter()
    .tag(4, WireType.LengthDelimited)
    .string(fields.typeUrl)
    .tag(5, WireType.LengthDelimited)
    .string(fields.nonce)
    .tag(6, WireType.LengthDelimited)
    .bytes(controlPlane)
    .finish();
  return Buffer.concat([version, joined(fields.resources), rest]);
}
