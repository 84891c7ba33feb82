import { isIP } from "node:net";
import type { RequestHead } from "@fairlead/proxy-stream";
import type { ConnectSettings } from "@fairlead/proxy-upstream";

/** What TLS towards the host is to be told of who is called, where its cluster takes that from requests. An address is no name (RFC 6066 §3). */
export function serverNameOf({ tls }: ConnectSettings, head: RequestHead): string | undefined {
  if (tls?.auto === undefined) return undefined;
  const { header } = tls.auto;
  const said = (header === undefined ? undefined : head.headers.get(header)) ?? head.authority;
  const name = said.replace(/:\d+$/, "").toLowerCase();
  return isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0 && name !== "" ? name : undefined;
}
