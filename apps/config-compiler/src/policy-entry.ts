import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PolicyInForceSchema } from "@fairlead/fairlead-api";
import { type PolicyObject, policyKinds } from "@fairlead/model";

export function encodePolicy(policy: PolicyObject): Uint8Array {
  return toBinary(PolicyInForceSchema, create(PolicyInForceSchema, { ...policy }));
}

/** @throws Error when the bytes are no such message, or its kind is not known to this version */
export function decodePolicy(bytes: Uint8Array): PolicyObject {
  const { kind, namespace, name, file, line, text } = fromBinary(PolicyInForceSchema, bytes);
  const known = policyKinds.find((candidate) => candidate === kind);
  if (known === undefined) throw new Error(`a policy of the kind ${JSON.stringify(kind)}`);
  return { kind: known, namespace, name, file, line, text };
}
