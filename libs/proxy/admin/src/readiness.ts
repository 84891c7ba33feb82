import type { AdsState } from "@fairlead/proxy-xds-client";
import type { ServerState } from "./server-stats.ts";

/** What a proxy waits for of its control plane, in the operator's words; empty = it has its configuration. */
export function waitsForConfig(ads: AdsState): readonly string[] {
  const { phase, connected, address, lastError } = ads;
  if (phase === "initialized") return [];
  return [connected ? `${phase} from ${address}` : `ads-gateway ${address}: ${lastError ?? "connecting"}`];
}

/** @param waitingFor empty = ready */
export function serverStateOf(draining: boolean, waitingFor: readonly string[]): ServerState {
  if (draining) return "DRAINING";
  return waitingFor.length === 0 ? "LIVE" : "INITIALIZING";
}
