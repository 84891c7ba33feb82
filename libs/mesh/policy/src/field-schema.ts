import type { PolicyKind } from "@fairlead/model";
import { z } from "zod";
import { specSchemas } from "./policy-document.ts";

/** JSON Schema, as far as fields are walked. */
export interface FieldSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: FieldSchema | boolean;
  readonly items?: FieldSchema;
  readonly oneOf?: readonly FieldSchema[];
  readonly anyOf?: readonly FieldSchema[];
  /** There is one where no value is taken: the field is refused, the description says why. */
  readonly not?: object;
}

/** What the `spec` of a kind may have, for pages and tools that list fields. */
export function specFields(kind: PolicyKind): FieldSchema {
  return z.toJSONSchema(specSchemas[kind], { io: "input" }) as FieldSchema;
}

/** A field below a spec, written as `http[].match[].uri`; a key of a map as `<name>`. */
export interface PolicyField {
  readonly path: string;
  readonly isRefused: boolean;
  /** Empty where the schema says nothing of it: a defect. */
  readonly description: string;
}

/** @param into false for a field whose inner ones are not wanted */
export function* fieldsBelow(
  schema: FieldSchema,
  into: (path: string, field: FieldSchema) => boolean,
  above = "",
): Generator<PolicyField> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const path = above === "" ? name : `${above}.${name}`;
    const several = field.items === undefined ? path : `${path}[]`;
    yield { path: several, isRefused: field.not !== undefined, description: field.description ?? "" };
    if (!into(several, field)) continue;
    const inner = field.items ?? field;
    yield* fieldsBelow(inner, into, several);
    if (typeof inner.additionalProperties === "object")
      yield* fieldsBelow(inner.additionalProperties, into, `${several}.<name>`);
  }
}
