import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { FairleadError } from "@fairlead/errors";
import type { CommonCells } from "@fairlead/stat-cells";
import type { NewerFields } from "./translate/newer-fields.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/** A resource that can be applied. */
export interface Accepted<Value> {
  readonly name: string;
  readonly body: Uint8Array;
  readonly value: Value;
}

/**
 * Decodes and translates each resource on its own, so that a bad one does not keep the good ones back.
 *
 * @param known the resource in force under the name: equal bytes are not read again
 * @param common what limits count in over all threads. @default those of this thread alone
 * @param translate throws FairleadError for what the proxy does not take
 * @param newer what is done with fields that are newer than our protos
 */
export function decodeResources<Desc extends DescMessage, Value>(
  schema: Desc,
  resources: readonly XdsResource[],
  known: (name: string) => Accepted<Value> | undefined,
  translate: (message: MessageShape<Desc>) => { readonly name: string; readonly value: Value },
  newer: NewerFields,
  common?: CommonCells,
): { readonly accepted: readonly Accepted<Value>[]; readonly rejections: readonly XdsRejection[] } {
  const accepted: Accepted<Value>[] = [];
  const rejections: XdsRejection[] = [];
  for (const { name, body } of resources) {
    const before = known(name);
    if (before !== undefined && Buffer.compare(before.body, body) === 0) {
      accepted.push(before);
      continue;
    }
    try {
      const read = (): { readonly name: string; readonly value: Value } =>
        newer.within(name, () => translate(fromBinary(schema, body)));
      const translated = common === undefined ? read() : common.within(`${schema.typeName} ${name}`, body, read);
      if (translated.name !== name) throw new Error(`the resource is named ${name} and its message ${translated.name}`);
      accepted.push({ name, body, value: translated.value });
    } catch (error) {
      rejections.push({ name, reason: FairleadError.from(error).message });
    }
  }
  return { accepted, rejections };
}
