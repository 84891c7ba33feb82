import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { isFieldSet } from "@bufbuild/protobuf";
import { FairleadError } from "@fairlead/errors";
import { runtimeErrors } from "../errors.ts";
import { ignoreNewerField } from "./newer-fields.ts";

/** @param field its path in the resource, by the names of the .proto */
export function rejection(field: string, problem: string): FairleadError {
  const code: keyof typeof runtimeErrors = "FL_XDS_REJECTED";
  return new FairleadError(code, `${field}: ${problem}`, { facts: { field } });
}

/**
 * Refuses a message that has a field which this proxy does nothing with: what somebody wrote is done or refused by name, never
 * ignored. One that is newer than our protos has no name here: its message and number are told, and whether it is refused is the
 * operator's choice.
 *
 * @param supported the fields that are read, and those without a meaning for a request (names, metadata, statistics)
 */
export function refuseOthers<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  where: string,
  supported: readonly string[],
): void {
  for (const field of schema.fields) {
    if (isFieldSet(message, field) && !supported.includes(field.name)) {
      throw rejection(`${where}${field.name}`, "is not supported by this proxy");
    }
  }
  for (const { no } of message.$unknown ?? []) {
    if (schema.fields.some(({ number }) => number === no)) continue;
    const field = `field ${no} of ${schema.typeName}`;
    if (!ignoreNewerField(field))
      throw rejection(`${where}${field}`, "is newer than this proxy, and not supported by it");
  }
}
