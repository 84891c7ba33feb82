/**
 * The keys of the bucket `fairlead_xds`.
 *
 * Ids are written in base64url: they hold characters (`|`, `~`, `:`) that a bucket key may not.
 */
export type BucketKey =
  | { readonly kind: "resource"; readonly id: string }
  | { readonly kind: "scope"; readonly id: string }
  | { readonly kind: "node"; readonly id: string }
  | { readonly kind: "head" };

export const headKey = "head";

export function bucketKeyOf(kind: "resource" | "scope" | "node", id: string): string {
  return `${kind}.${Buffer.from(id, "utf8").toString("base64url")}`;
}

/** @returns undefined for a key that this version does not know: a newer compiler may write more kinds */
export function parseBucketKey(key: string): BucketKey | undefined {
  if (key === headKey) return { kind: "head" };
  const dot = key.indexOf(".");
  const kind = key.slice(0, dot);
  if (kind !== "resource" && kind !== "scope" && kind !== "node") return undefined;
  return { kind, id: Buffer.from(key.slice(dot + 1), "base64url").toString("utf8") };
}

/** All that the compiler does not take, for who asks; gateways skip it. */
export const rejectedKey = "rejected";

const policyPrefix = "policy.";

/** For the compiler alone; gateways skip it. */
export function policyBucketKeyOf(policyKey: string): string {
  return policyPrefix + Buffer.from(policyKey, "utf8").toString("base64url");
}

export function isPolicyBucketKey(key: string): boolean {
  return key.startsWith(policyPrefix);
}
