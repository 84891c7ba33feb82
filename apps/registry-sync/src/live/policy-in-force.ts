import { fromBinary } from "@bufbuild/protobuf";
import { PolicyInForceSchema } from "@fairlead/fairlead-api";
import { type PolicyObject, policyKinds } from "@fairlead/model";

/** @returns undefined for bytes that are no such message, or of a kind that this version does not know */
export function policyInForce(bytes: Uint8Array): PolicyObject | undefined {
  try {
    const { kind, namespace, name, file, line, text } = fromBinary(PolicyInForceSchema, bytes);
    const known = policyKinds.find((candidate) => candidate === kind);
    return known === undefined ? undefined : { kind: known, namespace, name, file, line, text };
  } catch {
    return undefined;
  }
}

/** The policy's key, of `policy.<base64url>`. */
export function keyOfPolicyEntry(bucketKey: string): string {
  return Buffer.from(bucketKey.slice(bucketKey.indexOf(".") + 1), "base64url").toString("utf8");
}
