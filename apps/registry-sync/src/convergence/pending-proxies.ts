import { type GatewayStatus, type PendingProxy, PendingProxy_State } from "@fairlead/fairlead-api";
import { shortTypeName } from "@fairlead/envoy-api";
import type { MissingProxy } from "@fairlead/registration";

const maxDetailLength = 500;

function covers(entry: PendingProxy, revision: bigint): boolean {
  return entry.firstRevision <= revision && revision <= entry.lastRevision;
}

/** Whether a proxy of this gateway has yet to ACK the revision. */
export function holdsBack(status: GatewayStatus, revision: number): boolean {
  const wanted = BigInt(revision);
  return status.pending.some((entry) => covers(entry, wanted));
}

/** The entries of a gateway that hold a revision back, in words. */
export function missingProxies(status: GatewayStatus, revision: number, nowMs: number): MissingProxy[] {
  const wanted = BigInt(revision);
  return status.pending
    .filter((entry) => covers(entry, wanted))
    .map((entry) => {
      // By the gateway's clock, which may be ahead of ours.
      const sinceMs = Math.max(0, nowMs - Number(entry.sinceMs));
      return { node: entry.nodeId, type: shortTypeName(entry.typeUrl), reason: reasonOf(entry, sinceMs), sinceMs };
    });
}

function reasonOf({ state, detail }: PendingProxy, sinceMs: number): string {
  const duration = `${(sinceMs / 1000).toFixed(1)} s`;
  const shown = detail.slice(0, maxDetailLength);
  switch (state) {
    case PendingProxy_State.NACKED:
      return `NACKed: ${shown}`;
    case PendingProxy_State.BLOCKED:
      return `not sent for ${duration}${shown === "" ? ": an earlier response is not ACKed" : `: ${shown}`}`;
    default:
      return `sent, not ACKed for ${duration}`;
  }
}
