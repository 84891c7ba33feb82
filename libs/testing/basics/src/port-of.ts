import type { AddressInfo } from "node:net";

/** The port of a server that listens, of whatever module: `net`, `http`, `http2`, `tls`. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server that listens on TCP has a port");
  return address.port;
}
