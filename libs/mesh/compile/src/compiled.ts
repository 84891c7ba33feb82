import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type CompiledResource, contentVersion, type ProvenanceEntry } from "@fairlead/snapshot";
import { notEncoded, requireValid } from "./validate/require-valid.ts";

export interface ResourceIdentity {
  readonly key: string;
  readonly typeUrl: string;
  readonly name: string;
  /** @default false */
  readonly onDemand?: boolean;
}

/** A resource as it is rendered: at which revision its content changed last is known where it is compared with what was there. */
export type RenderedResource = Omit<CompiledResource, "revision">;

/**
 * Encodes a message once, as the resource that the whole mesh shares.
 *
 * @throws FairleadError FL_COMPILE_INVALID when a proxy would refuse it
 */
export function compiled<Desc extends DescMessage>(
  identity: ResourceIdentity,
  schema: Desc,
  message: MessageShape<Desc>,
  provenance: readonly ProvenanceEntry[],
): RenderedResource {
  requireValid(schema, message, identity.key, provenance);
  let body: Uint8Array;
  try {
    body = toBinary(schema, message);
  } catch (caught) {
    throw notEncoded(identity.key, caught, provenance);
  }
  return encoded(identity, body, provenance);
}

/** For a message whose bytes are there already. */
export function encoded(
  identity: ResourceIdentity,
  body: Uint8Array,
  provenance: readonly ProvenanceEntry[],
): RenderedResource {
  const { key, typeUrl, name, onDemand = false } = identity;
  try {
    return { key, typeUrl, name, version: contentVersion(body), body, onDemand, provenance };
  } catch (caught) {
    throw notEncoded(key, caught, provenance);
  }
}

/** Whether proxies and operators would see no difference. */
export function sameContent(left: RenderedResource, right: RenderedResource): boolean {
  return (
    left.version === right.version &&
    left.key === right.key &&
    left.typeUrl === right.typeUrl &&
    left.name === right.name &&
    left.onDemand === right.onDemand &&
    Buffer.compare(left.body, right.body) === 0 &&
    sameProvenance(left.provenance, right.provenance)
  );
}

function sameProvenance(left: readonly ProvenanceEntry[], right: readonly ProvenanceEntry[]): boolean {
  if (left === right) return true;
  return (
    left.length === right.length &&
    left.every((entry, index) => {
      const other = right[index]!;
      return (
        entry.key === other.key && entry.kind === other.kind && entry.file === other.file && entry.line === other.line
      );
    })
  );
}
