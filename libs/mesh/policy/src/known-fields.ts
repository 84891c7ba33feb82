import { z } from "zod";
import type { FieldSchema } from "./field-schema.ts";
import { policyDocumentSchema } from "./policy-document.ts";

function* namesBelow(schema: FieldSchema): Generator<string> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.not === undefined) yield name;
    yield* namesBelow(field);
  }
  const inner = [schema.items, schema.additionalProperties, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  for (const one of inner) if (typeof one === "object") yield* namesBelow(one);
}

let implemented: readonly string[] | undefined;

/** Fields that are implemented somewhere, for "did you mean". */
function implementedFields(): readonly string[] {
  implemented ??= [...new Set(namesBelow(z.toJSONSchema(policyDocumentSchema, { io: "input" }) as FieldSchema))];
  return implemented;
}

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[right.length]!;
}

/** Why a field that no schema knows is refused. */
export function unknownFieldReason(field: string): string {
  const short = field.slice(0, 64).toLowerCase();
  const near = implementedFields()
    .map((known) => ({ known, edits: distance(short, known.toLowerCase()) }))
    .filter(({ known, edits }) => edits <= (known.length > 4 ? 2 : 1))
    .toSorted((a, b) => a.edits - b.edits)[0]?.known;
  return near === undefined || near === field ? "is not a field here" : `is not a field (did you mean ${near}?)`;
}
