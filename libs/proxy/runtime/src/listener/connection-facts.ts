import type { Socket } from "node:net";
import type { ConnectionFacts } from "@fairlead/proxy-filter";
import { type ConnectionAddresses, toldAddresses } from "@fairlead/proxy-stream";

/** What the socket itself says, and what a listener that handed it over found out. */
export function factsOf(socket: Socket, listenerPort: number): ConnectionFacts {
  const told = toldAddresses(socket);
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
  return {
    localAddress: told?.localAddress ?? localAddress,
    localPort: told?.localPort ?? localPort,
    localRestored: told?.localRestored ?? false,
    remoteAddress: told?.remoteAddress ?? remoteAddress,
    remotePort: told?.remotePort ?? remotePort,
    directRemoteAddress: remoteAddress,
    directRemotePort: remotePort,
    listenerPort,
    tls: false,
    serverName: "",
    alpn: [],
  };
}

/** @returns undefined when filters found nothing but what the socket says */
export function changedAddresses(facts: ConnectionFacts, socket: Socket): ConnectionAddresses | undefined {
  const { remoteAddress, remotePort, localAddress, localPort, localRestored, metadata } = facts;
  const same =
    !localRestored &&
    metadata === undefined &&
    remoteAddress === socket.remoteAddress &&
    remotePort === socket.remotePort &&
    localAddress === socket.localAddress &&
    localPort === socket.localPort;
  return same ? undefined : { remoteAddress, remotePort, localAddress, localPort, localRestored, metadata };
}
