import { isIP } from "node:net";
import type { ConnectionInfo, RequestHead } from "@fairlead/proxy-stream";
import type { Cluster, Destination } from "@fairlead/proxy-upstream";

/**
 * Where a request goes whose cluster has no hosts of its own.
 *
 * @param head undefined for a connection of bytes
 * @returns undefined when nothing says it: the proxy's own address would lead in a circle
 */
export function destinationOf(
  { config, stats }: Cluster,
  head: RequestHead | undefined,
  connection: ConnectionInfo,
): Destination | undefined {
  const header = config.originalDestination?.header;
  const said = header === undefined ? undefined : head?.headers.get(header);
  if (said !== undefined) {
    const found = parseDestination(said);
    if (found === undefined) stats.original_dst_host_invalid++;
    return found;
  }
  const { localAddress, localPort, localRestored } = connection;
  return localRestored === true ? { address: localAddress, port: localPort } : undefined;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` */
function parseDestination(text: string): Destination | undefined {
  const [, address6, address4, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = address6 ?? address4 ?? "";
  if (isIP(address) === 0 || Number(port) > 65_535) return undefined;
  return { address, port: Number(port) };
}
