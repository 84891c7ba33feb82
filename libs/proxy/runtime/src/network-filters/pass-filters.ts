import type { Socket } from "node:net";
import type { ConnectionFacts, NetworkFilter } from "@fairlead/proxy-filter";

/** A filter as a chain has it. */
export interface ConfiguredNetworkFilter {
  readonly typeUrl: string;
  /** Its configuration, to tell a change from a repetition. */
  readonly config: Uint8Array;
  readonly filter: NetworkFilter;
}

/** @returns false when one of them keeps the connection; the socket is then read by nobody */
export function passFilters(
  filters: readonly ConfiguredNetworkFilter[],
  socket: Socket,
  facts: Readonly<ConnectionFacts>,
  count: (stat: string, by?: number) => void,
): boolean {
  const callbacks = {
    close: () => socket.destroy(),
    onClosed: (listener: () => void) => void socket.once("close", listener),
    count,
  };
  for (const { filter } of filters) {
    if (filter.onConnection(facts, callbacks)) continue;
    socket.on("error", () => undefined);
    // Its end is to be seen; what it sends is nobody's.
    socket.resume();
    return false;
  }
  return true;
}

/** What is configured with the same words as before goes on as it is, with what it has counted. */
export function keepFilters(
  before: readonly ConfiguredNetworkFilter[],
  after: readonly ConfiguredNetworkFilter[],
): readonly ConfiguredNetworkFilter[] {
  return after.map((one, i) => {
    const known = before[i];
    const same = known?.typeUrl === one.typeUrl && Buffer.compare(known.config, one.config) === 0;
    return same ? known : one;
  });
}
