import type { CompiledResource } from "@fairlead/snapshot";
import type { Variant } from "../load/variant.ts";
import { field } from "../load/wire.ts";

/** The same for all streams but for the nonce. */
export function encodeBody(
  variant: Variant,
  typeUrl: string,
  resources: readonly CompiledResource[],
  version: string,
): Buffer {
  const encoded = resources.map((resource) => {
    const any = Buffer.concat([field(1, typeUrl), field(2, resource.body)]);
    if (variant === "sotw") return field(2, any);
    return field(2, Buffer.concat([field(1, resource.version), field(2, any), field(3, resource.name)]));
  });
  return Buffer.concat([field(1, version), ...encoded, field(4, typeUrl)]);
}

/** A body with its nonce: fields of a message may come in any order. */
export function withNonce(body: Buffer, nonce: string): Buffer {
  return Buffer.concat([body, field(5, nonce)]);
}
