import { type GatewayStatus, type PendingProxy, PendingProxy_State } from "@fairlead/fairlead-api";
import { shortTypeName } from "@fairlead/envoy-api";
import { type MissingProxy, refusalText } from "@fairlead/registration";
import { plainReason, refusalOf } from "../refusals/refusal.ts";

const maxDetailLength = 500;
/** A proxy that has not answered for this long hangs, is stopped, or its connection is dead. */
const silentAfterMs = 5000;

function covers(entry: PendingProxy, revision: bigint): boolean {
  return entry.firstRevision <= revision && revision <= entry.lastRevision;
}

/** Whether a proxy of this gateway has yet to ACK the revision. */
export function holdsBack(status: GatewayStatus, revision: number): boolean {
  const wanted = BigInt(revision);
  return status.pending.some((entry) => covers(entry, wanted));
}

/** Whether who has yet to ACK the revision has refused it: no more waiting changes that. */
export function isRefusedOnly(status: GatewayStatus, revision: number): boolean {
  const wanted = BigInt(revision);
  return status.pending.every((entry) => !covers(entry, wanted) || entry.state === PendingProxy_State.NACKED);
}

/** Only of a refusal it is known what is refused. */
export function isRefusal({ resources }: MissingProxy): boolean {
  return resources !== undefined;
}

/** The entries of a gateway that hold a revision back, in words. */
export function missingProxies(status: GatewayStatus, revision: number, nowMs: number): MissingProxy[] {
  const wanted = BigInt(revision);
  const refusals = new Map(
    status.nacks.map((nack) => [`${nack.nodeId} ${nack.typeUrl}`, refusalOf(nack, status.gatewayId)]),
  );
  return status.pending
    .filter((entry) => covers(entry, wanted))
    .map((entry) => {
      // By the gateway's clock, which may be ahead of ours.
      const sinceMs = Math.max(0, nowMs - Number(entry.sinceMs));
      const described = { node: entry.nodeId, type: shortTypeName(entry.typeUrl), sinceMs };
      if (entry.state !== PendingProxy_State.NACKED) return { ...described, reason: reasonOf(entry, sinceMs, nowMs) };
      const refusal = refusals.get(`${entry.nodeId} ${entry.typeUrl}`) ?? {
        reason: plainReason(entry.detail, maxDetailLength),
        resources: [],
        objects: [],
      };
      const { resources, objects } = refusal;
      return { ...described, reason: refusalText(refusal), resources: [...resources], objects: [...objects] };
    });
}

function reasonOf({ state, detail }: PendingProxy, sinceMs: number, nowMs: number): string {
  const duration = `${(sinceMs / 1000).toFixed(1)} s`;
  const shown = plainReason(detail, maxDetailLength);
  switch (state) {
    case PendingProxy_State.BLOCKED:
      return `not sent for ${duration}${shown === "" ? ": an earlier response is not ACKed" : `: ${shown}`}`;
    default: {
      if (sinceMs < silentAfterMs) return `sent, not ACKed for ${duration}`;
      const since = new Date(nowMs - sinceMs).toISOString();
      return `not answering since ${since}: sent, and neither ACKed nor NACKed for ${duration}`;
    }
  }
}
