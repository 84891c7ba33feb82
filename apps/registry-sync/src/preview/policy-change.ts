import { type Catalogue, type PolicyObject, policyKey } from "@fairlead/model";

/** What would be applied, and the keys of what would be removed. */
export interface PolicyChange {
  readonly put: readonly PolicyObject[];
  readonly remove: readonly string[];
}

/** The catalogue as it would be after the change; nothing of the given one is altered. */
export function withPolicies(catalogue: Catalogue, { put, remove }: PolicyChange): Catalogue {
  const policies = new Map(catalogue.policies);
  for (const key of remove) policies.delete(key);
  for (const policy of put) policies.set(policyKey(policy), policy);
  return { ...catalogue, policies };
}
