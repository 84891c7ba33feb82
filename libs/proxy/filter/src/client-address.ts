import type { HeaderMap } from "@fairlead/proxy-stream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";

/**
 * Who the client is, as far as that can be trusted: the peer; or what the peers that are trusted said in x-forwarded-for.
 * With `use_remote_address`, the Nth from the right is trusted for N trusted hops; without, one more.
 */
export function clientAddress(
  headers: HeaderMap,
  peer: string,
  config: Pick<ConnectionManagerConfig, "useRemoteAddress" | "trustedHops">,
): string {
  const hops = config.useRemoteAddress ? config.trustedHops : config.trustedHops + 1;
  if (hops === 0) return peer;
  const forwarded = headers.getJoined("x-forwarded-for");
  if (forwarded === undefined) return peer;
  return forwarded.split(",").at(-hops)?.trim() ?? peer;
}
