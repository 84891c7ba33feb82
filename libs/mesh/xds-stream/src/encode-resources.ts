import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { CompiledResource } from "@fairlead/snapshot";

/*
 * Both responses have their resources in field 2. What stands before a body is written once a resource and process, and a
 * whole list once a list, so that streams of equal content share all but version, nonce and the copy into the socket.
 *
 *   DiscoveryResponse        2: Any       (1 type_url, 2 value)
 *   DeltaDiscoveryResponse   2: Resource  (3 name, 1 version, 2: Any (1 type_url, 2 value))
 */

/** The field 2 of many resources, one after the other. */
export class ResourceEncoder {
  readonly #head: (resource: CompiledResource) => Uint8Array;
  readonly #heads = new WeakMap<CompiledResource, Uint8Array>();
  readonly #joined = new WeakMap<readonly CompiledResource[], Uint8Array>();

  /** @param head what precedes the body in the field, without the field's own tag and length */
  constructor(head: (resource: CompiledResource) => Uint8Array) {
    this.#head = head;
  }

  /** @param list is not altered afterwards */
  joined(list: readonly CompiledResource[]): Uint8Array {
    let bytes = this.#joined.get(list);
    if (bytes === undefined) {
      bytes = Buffer.concat(list.flatMap((resource) => [this.#headOf(resource), resource.body]));
      this.#joined.set(list, bytes);
    }
    return bytes;
  }

  #headOf(resource: CompiledResource): Uint8Array {
    let head = this.#heads.get(resource);
    if (head === undefined) {
      const inner = this.#head(resource);
      head = Buffer.concat([fieldHead(2, inner.byteLength + resource.body.byteLength), inner]);
      this.#heads.set(resource, head);
    }
    return head;
  }
}

/** Tag and length of a field whose value is bytes. */
function fieldHead(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

/** An Any up to its body. */
function anyHead({ typeUrl, body }: CompiledResource): Uint8Array {
  const type = new BinaryWriter().tag(1, WireType.LengthDelimited).string(typeUrl).finish();
  return Buffer.concat([type, fieldHead(2, body.byteLength)]);
}

export const sotwResources = new ResourceEncoder(anyHead);

export const deltaResources = new ResourceEncoder((resource) => {
  const any = anyHead(resource);
  const facts = new BinaryWriter()
    .tag(3, WireType.LengthDelimited)
    .string(resource.name)
    .tag(1, WireType.LengthDelimited)
    .string(resource.version)
    .finish();
  return Buffer.concat([facts, fieldHead(2, any.byteLength + resource.body.byteLength), any]);
});

const maxHeadBytes = 64;

/** About the bytes that a resource takes in a response of either variant. */
export function encodedSize({ name, typeUrl, body }: CompiledResource): number {
  return body.byteLength + name.length + typeUrl.length + maxHeadBytes;
}
