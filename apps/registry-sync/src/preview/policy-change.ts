import { type Change, type PolicyObject, policyKey } from "@fairlead/model";

/** What would be applied, and the keys of what would be removed. */
export interface PolicyChange {
  readonly put: readonly PolicyObject[];
  readonly remove: readonly string[];
}

/** As the change log would have it. */
export function changesOf({ put, remove }: PolicyChange, revision: number): Change[] {
  return [
    ...remove.map((key): Change => ({ revision, kind: "policy", key, value: undefined })),
    ...put.map((value): Change => ({ revision, kind: "policy", key: policyKey(value), value })),
  ];
}
