import { shortTypeName } from "@fairlead/envoy-api";
import type { Nack } from "@fairlead/fairlead-api";
import type { Refusal } from "@fairlead/registration";

const maxReasonLength = 1024;
const maxNames = 100;
const maxObjects = 50;

/** A proxy's words go to terminals and logs: on one line, without control characters. */
export function plainReason(reason: string, maxLength = maxReasonLength): string {
  return reason
    .slice(0, maxLength)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}

/** A gateway's message as the API answers it. */
export function refusalOf(nack: Nack, gateway: string): Refusal {
  return {
    node: nack.nodeId,
    gateway,
    type: shortTypeName(nack.typeUrl),
    resources: nack.resourceNames.slice(0, maxNames),
    reason: plainReason(nack.reason),
    nonce: nack.nonce,
    version: nack.version,
    sinceMs: Number(nack.atMs),
    firstRevision: Number(nack.firstRevision),
    lastRevision: Number(nack.lastRevision),
    objects: nack.provenance.slice(0, maxObjects).map(({ kind, key, file, line }) => ({ kind, key, file, line })),
  };
}
