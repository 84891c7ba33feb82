import { FairleadError } from "@fairlead/errors";
import type { EpochLink } from "./epoch-link.ts";
import type { SocketRequest } from "./messages.ts";

/** A server of the program's own, beside those of its configuration. */
export interface HandOverServer {
  listen(address: string, port: number, handle?: object): Promise<number>;
}

/**
 * Listens on the supervisor's socket; on one of its own where there is no supervisor.
 *
 * @returns the port
 * @throws FairleadError FL_LISTEN_FAILED
 */
export async function listenHandedOver(
  server: HandOverServer,
  at: SocketRequest,
  link: EpochLink | undefined,
): Promise<number> {
  const { name, address, port } = at;
  if (link === undefined) return await server.listen(address, port);
  try {
    const { handle } = await link.take(at);
    return await server.listen(address, port, handle);
  } catch (cause) {
    if (cause instanceof FairleadError) throw cause;
    const message = `${name} cannot listen on ${address}:${port}: ${(cause as Error).message}`;
    throw new FairleadError("FL_LISTEN_FAILED", message, { facts: { bind: address, port }, cause });
  }
}
