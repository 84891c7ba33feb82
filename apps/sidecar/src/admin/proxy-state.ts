import { waitsForConfig } from "@fairlead/proxy-admin";
import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";

export { type ServerState } from "@fairlead/proxy-admin";

const outboundListener = "outbound";

/** What the proxy waits for before it takes calls, in the operator's words; empty = ready. */
export function waitingFor(ads: AdsState, runtime: Pick<ProxyRuntime, "listeners">): readonly string[] {
  const listens = runtime.listeners().some(({ name, state }) => name === outboundListener && state === "active");
  return [...waitsForConfig(ads), ...(listens ? [] : ["the outbound listener"])];
}
