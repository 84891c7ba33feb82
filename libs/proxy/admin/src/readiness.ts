import type { AdsState } from "@fairlead/proxy-xds-client";
import type { ServerState } from "./server-stats.ts";

/** What a proxy waits for of its control plane, in the operator's words; empty = it has its configuration. */
export function waitsForConfig(ads: AdsState): readonly string[] {
  const { phase, connected, address, lastError } = ads;
  if (phase === "initialized") return [];
  return [connected ? `${phase} from ${address}` : `ads-gateway ${address}: ${lastError ?? "connecting"}`];
}

/** Threads that hang: the system goes on giving them their share of new connections, which nobody serves. */
export function waitsForWorkers(proxy: { stuckWorkers?(): readonly string[] }): readonly string[] {
  return (proxy.stuckWorkers?.() ?? []).map((worker) => `${worker}, which is stuck`);
}

/** What a proxy still warms. */
interface WarmingProxy {
  listeners(): readonly { readonly name: string; readonly state: string }[];
  missingSecrets(): readonly string[];
}

/**
 * What a new process of a hot restart lacks besides its configuration before the one that serves may go.
 *
 * @param replaces another process serves meanwhile: it may have secrets that this one has given up on
 */
export function warmsBeforeTakeover(proxy: WarmingProxy, replaces: boolean): readonly string[] {
  const listeners = proxy.listeners().filter(({ state }) => state === "warming");
  const secrets = replaces ? proxy.missingSecrets() : [];
  return [...listeners.map(({ name }) => `listener ${name}`), ...secrets.map((name) => `secret ${name}`)];
}

/** @param waitingFor empty = ready */
export function serverStateOf(draining: boolean, waitingFor: readonly string[]): ServerState {
  if (draining) return "DRAINING";
  return waitingFor.length === 0 ? "LIVE" : "INITIALIZING";
}
