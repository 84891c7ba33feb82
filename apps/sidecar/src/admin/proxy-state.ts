import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";

export { type ServerState } from "@fairlead/proxy-admin";

const outboundListener = "outbound";

/** What the proxy waits for before it takes calls, in the operator's words; empty = ready. */
export function waitingFor(ads: AdsState, runtime: Pick<ProxyRuntime, "listeners">): readonly string[] {
  const waiting: string[] = [];
  if (ads.phase !== "initialized") {
    waiting.push(
      ads.connected
        ? `${ads.phase} from ${ads.address}`
        : `ads-gateway ${ads.address}: ${ads.lastError ?? "connecting"}`,
    );
  }
  if (!runtime.listeners().some(({ name, state }) => name === outboundListener && state === "active")) {
    waiting.push("the outbound listener");
  }
  return waiting;
}
