import { isDeepStrictEqual } from "node:util";
import { type Catalogue, type PolicyObject, policyKey } from "@fairlead/model";
import type { PreviewedObject } from "@fairlead/registration";
import { unifiedDiff } from "../readable/unified-diff.ts";
import type { PolicyChange } from "./policy-change.ts";

function previewed(before: PolicyObject | undefined, after: PolicyObject | undefined): PreviewedObject {
  const { kind, namespace, name } = (after ?? before)!;
  if (isDeepStrictEqual(before, after)) return { kind, namespace, name, outcome: "unchanged" };
  const outcome = before === undefined ? "created" : after === undefined ? "deleted" : "configured";
  return { kind, namespace, name, outcome, diff: unifiedDiff(before?.text ?? "", after?.text ?? "") };
}

/** What a change does to each object that it names. */
export function previewedObjects(
  { policies }: Pick<Catalogue, "policies">,
  { put, remove }: PolicyChange,
): PreviewedObject[] {
  const removed = remove.flatMap((key) => policies.get(key) ?? []);
  return [
    ...put.map((policy) => previewed(policies.get(policyKey(policy)), policy)),
    ...removed.map((policy) => previewed(policy, undefined)),
  ];
}
