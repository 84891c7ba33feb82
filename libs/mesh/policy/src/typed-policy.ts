import { FairleadError } from "@fairlead/errors";
import type { PolicyObject } from "@fairlead/model";
import { parse } from "yaml";
import { type PolicyDocument, policyDocumentSchema } from "./policy-document.ts";

/** A policy with its spec; `kind` tells which. */
export type TypedPolicy = PolicyDocument;

const typed = new WeakMap<PolicyObject, TypedPolicy>();

/**
 * The spec of a stored policy. Its text was checked when it was applied; parsed once for each object.
 *
 * @throws FairleadError FL_POLICY_INVALID when the text was stored by a version that knew more fields than this one
 */
export function typedPolicy(object: PolicyObject): TypedPolicy {
  const known = typed.get(object);
  if (known !== undefined) return known;
  const parsed = policyDocumentSchema.safeParse(parse(object.text, { maxAliasCount: 0 }));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${object.file}:${object.line} ${issue.path.join(".")}: ${issue.message}`,
    );
    throw new FairleadError(
      "FL_POLICY_INVALID",
      `the stored ${object.kind} ${object.namespace}/${object.name} cannot be used: ${problems[0]}`,
      {
        facts: { problems },
      },
    );
  }
  typed.set(object, parsed.data);
  return parsed.data;
}
