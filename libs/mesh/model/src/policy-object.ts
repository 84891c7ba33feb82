/** The kinds that have a compiler. Others are refused by name. */
export const policyKinds = ["VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "Sidecar"] as const;
export type PolicyKind = (typeof policyKinds)[number];

/** A policy as it was applied. The text is the truth; libs/mesh/policy gives it its type. */
export interface PolicyObject {
  readonly kind: PolicyKind;
  readonly namespace: string;
  readonly name: string;
  /** The file it came from, as its applier named it; empty when it had none. */
  readonly file: string;
  /** The line of the object in that file; 1 for the first. */
  readonly line: number;
  /** The YAML of this one object. */
  readonly text: string;
}

export function policyKey(policy: Pick<PolicyObject, "kind" | "namespace" | "name">): string {
  return `${policy.kind}/${policy.namespace}/${policy.name}`;
}
