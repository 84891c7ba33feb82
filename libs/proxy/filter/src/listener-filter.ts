/** What is known of a connection before it is served. Listener filters correct and complete it. */
export interface ConnectionFacts {
  /** What the client meant to reach, as far as that is known. */
  localAddress: string;
  localPort: number;
  /** That address is not the listener's own: something sent the connection here, or says where it went before. @default false */
  localRestored: boolean;
  /** The client. */
  remoteAddress: string;
  remotePort: number;
  /** The other end of the connection: a load balancer, where `remoteAddress` is who it speaks for. */
  readonly directRemoteAddress: string;
  readonly directRemotePort: number;
  /** Where the listener is bound. */
  readonly listenerPort: number;
  tls: boolean;
  /** In lower case; "" for none. */
  serverName: string;
  /** What the client offers, or begins to speak. */
  alpn: readonly string[];
  /** For logs and header values, by namespace and key (Envoy's dynamic metadata). @default nothing */
  metadata?: Record<string, Record<string, string>> | undefined;
}

/** Looks at a new connection before it is decided who serves it. Has no state: one is for all connections of a listener. */
export interface ListenerFilter {
  /** How many bytes it may want to see; 0 = none: it is asked once, before the client has sent anything. */
  readonly maxBytes: number;
  /**
   * @param bytes all that has come and was not consumed
   * @param count adds one to a statistic of the listener
   * @returns how many bytes are its own, and nobody else's to see; `more`: it cannot tell yet; `close`: the client is not served
   */
  look(bytes: Buffer, facts: ConnectionFacts, count: (stat: string) => void): number | "more" | "close";
}

/** Reads a filter's configuration. @throws FairleadError naming the field that it does not take */
export type ListenerFilterReader = (config: Uint8Array, where: string) => ListenerFilter;

const readers = new Map<string, ListenerFilterReader>();

/** Adds a kind of filter, by the type URL of its configuration; done once when its module is loaded. */
export function registerListenerFilter(typeUrl: string, reader: ListenerFilterReader): void {
  readers.set(typeUrl, reader);
}

export function listenerFilterReader(typeUrl: string): ListenerFilterReader | undefined {
  return readers.get(typeUrl);
}

/** The type URLs of those that there are, sorted. */
export function listenerFilterTypes(): string[] {
  return [...readers.keys()].toSorted();
}
