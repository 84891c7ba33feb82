import { waitsForConfig } from "@fairlead/proxy-admin";
import type { DataPlane } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";

const outboundListener = "outbound";

/** What the proxy lacks to take calls, in the operator's words; empty = nothing. */
export function missingToServe(ads: AdsState, runtime: Pick<DataPlane, "listeners">): readonly string[] {
  const listens = runtime.listeners().some(({ name, state }) => name === outboundListener && state === "active");
  return [...waitsForConfig(ads), ...(listens ? [] : ["the outbound listener"])];
}
