import { create } from "@bufbuild/protobuf";
import {
  type Nack,
  NackSchema,
  type PendingProxy,
  PendingProxy_State,
  PendingProxySchema,
} from "@fairlead/fairlead-api";
import type { PendingOfType } from "@fairlead/xds-stream";
import type { Refusal } from "./refusals.ts";

// What a status message holds of what is pending and refused. Each part is bounded: nats-server takes a megabyte by default.

/** Enough to say who is missing; more of them only cost time, as often as four times a second. */
const maxPending = 500;
const maxNackBytes = 128 * 1024;

export interface PendingOfNode extends PendingOfType {
  readonly nodeId: string;
}

export interface RefusalOfNode extends Refusal {
  readonly nodeId: string;
}

const stateOf = {
  SENT: PendingProxy_State.SENT,
  BLOCKED: PendingProxy_State.BLOCKED,
  NACKED: PendingProxy_State.NACKED,
} as const;

/** The first ones as they are; the rest as one entry a type, so that a waiter is not told less than the truth. */
export function pendingMessages(pending: Iterable<PendingOfNode>, limit = maxPending): PendingProxy[] {
  const messages: PendingProxy[] = [];
  const rest = new Map<string, { first: number; last: number; count: number; sinceMs: number }>();
  for (const entry of pending) {
    if (messages.length < limit) {
      messages.push(
        create(PendingProxySchema, {
          nodeId: entry.nodeId,
          typeUrl: entry.typeUrl,
          state: stateOf[entry.state],
          firstRevision: BigInt(entry.first),
          lastRevision: BigInt(entry.last),
          detail: entry.detail,
          sinceMs: BigInt(entry.sinceMs),
        }),
      );
      continue;
    }
    const sum = rest.get(entry.typeUrl) ?? { first: entry.first, last: entry.last, count: 0, sinceMs: entry.sinceMs };
    rest.set(entry.typeUrl, {
      first: Math.min(sum.first, entry.first),
      last: Math.max(sum.last, entry.last),
      count: sum.count + 1,
      sinceMs: Math.min(sum.sinceMs, entry.sinceMs),
    });
  }
  for (const [typeUrl, sum] of rest) {
    messages.push(
      create(PendingProxySchema, {
        nodeId: "*",
        typeUrl,
        state: PendingProxy_State.BLOCKED,
        firstRevision: BigInt(sum.first),
        lastRevision: BigInt(sum.last),
        detail: `${sum.count} more; the gateway's /debug/syncz names them`,
        sinceMs: BigInt(sum.sinceMs),
      }),
    );
  }
  return messages;
}

/** The newest refusals, as many as fit, and how many do not. */
export function nackMessages(
  refusals: Iterable<RefusalOfNode>,
  maxBytes = maxNackBytes,
): { nacks: Nack[]; nacksLeftOut: number } {
  const nacks: Nack[] = [];
  let bytes = 0;
  let nacksLeftOut = 0;
  for (const refusal of [...refusals].sort((a, b) => b.atMs - a.atMs)) {
    bytes += sizeOf(refusal);
    if (bytes > maxBytes) nacksLeftOut++;
    else nacks.push(nackMessage(refusal));
  }
  return { nacks, nacksLeftOut };
}

function nackMessage(refusal: RefusalOfNode): Nack {
  const { nodeId, typeUrl, names, reason, nonce, version, atMs, provenance, first, last } = refusal;
  return create(NackSchema, {
    nodeId,
    typeUrl,
    resourceNames: [...names],
    reason,
    nonce,
    version,
    atMs: BigInt(atMs),
    provenance: provenance.map(({ kind, key, file = "", line = 0 }) => ({ kind, key, file, line })),
    firstRevision: BigInt(first),
    lastRevision: BigInt(last),
  });
}

/** About; in characters, of which a reason may have some that take three bytes. */
function sizeOf({ nodeId, typeUrl, names, reason, provenance }: RefusalOfNode): number {
  const texts = [nodeId, typeUrl, ...names, ...provenance.flatMap(({ key, file = "" }) => [key, file])];
  return texts.reduce((sum, text) => sum + text.length + 8, 128) + 3 * reason.length;
}
