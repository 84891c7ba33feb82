import type { ConnectionFacts } from "./listener-filter.ts";

/** What a network filter may do with a connection. */
export interface NetworkFilterCallbacks {
  /** Ends it. */
  close(): void;
  /** Called once when it has ended, however. */
  onClosed(listener: () => void): void;
  /** Adds to a statistic of the listener. @param by may be negative, for what goes up and down. @default 1 */
  count(stat: string, by?: number): void;
}

/**
 * Decides, before what serves a filter chain does, what becomes of a connection; before TLS begins. One is for all connections of its
 * chain, and stays when the chain is configured again with the same words.
 */
export interface NetworkFilter {
  /** @returns false when the connection is not passed on: the filter closes it, at once or later */
  onConnection(facts: Readonly<ConnectionFacts>, callbacks: NetworkFilterCallbacks): boolean;
}

/** Reads a filter's configuration. @throws FairleadError naming the field that it does not take */
export type NetworkFilterReader = (config: Uint8Array, where: string) => NetworkFilter;

const readers = new Map<string, NetworkFilterReader>();

/** Adds a kind of filter, by the type URL of its configuration; done once when its module is loaded. */
export function registerNetworkFilter(typeUrl: string, reader: NetworkFilterReader): void {
  readers.set(typeUrl, reader);
}

export function networkFilterReader(typeUrl: string): NetworkFilterReader | undefined {
  return readers.get(typeUrl);
}

/** The type URLs of those that there are, sorted. */
export function networkFilterTypes(): string[] {
  return [...readers.keys()].toSorted();
}
