import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type CompiledResource, contentVersion, type ProvenanceEntry } from "@fairlead/snapshot";

export interface ResourceIdentity {
  readonly key: string;
  readonly typeUrl: string;
  readonly name: string;
  /** @default false */
  readonly onDemand?: boolean;
}

/** Encodes a message once, as the resource that the whole mesh shares. */
export function compiled<Desc extends DescMessage>(
  identity: ResourceIdentity,
  schema: Desc,
  message: MessageShape<Desc>,
  revision: number,
  provenance: readonly ProvenanceEntry[],
): CompiledResource {
  const body = toBinary(schema, message);
  return {
    key: identity.key,
    typeUrl: identity.typeUrl,
    name: identity.name,
    version: contentVersion(body),
    revision,
    body,
    onDemand: identity.onDemand ?? false,
    provenance,
  };
}
