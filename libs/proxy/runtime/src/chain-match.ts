import { BlockList, isIPv6 } from "node:net";

/** What is known of a connection before it is served. */
export interface ConnectionFacts {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly tls: boolean;
  /** In lower case; "" for none. */
  readonly serverName: string;
  readonly alpn: readonly string[];
}

export interface AddressRange {
  readonly address: string;
  readonly prefixLength: number;
}

/** Which connections a filter chain takes; an empty list, and undefined, take any. */
export interface ChainMatch {
  readonly destinationPort: number | undefined;
  readonly destinations: readonly AddressRange[];
  /** Exact names, or `*.suffix`; in lower case. */
  readonly serverNames: readonly string[];
  readonly transport: "" | "tls" | "raw_buffer";
  readonly alpn: readonly string[];
  readonly sources: readonly AddressRange[];
  readonly sourcePorts: readonly number[];
}

export const matchesAny: ChainMatch = {
  destinationPort: undefined,
  destinations: [],
  serverNames: [],
  transport: "",
  alpn: [],
  sources: [],
  sourcePorts: [],
};

/** How well a chain fits in one respect: undefined = not; 0 = it does not ask; more = the more exact. */
type Score = (match: ChainMatch, facts: ConnectionFacts) => number | undefined;

/** In Envoy's order: a respect counts only among chains that are equal in those before it. */
const respects: readonly Score[] = [
  ({ destinationPort }, { localPort }) =>
    destinationPort === undefined ? 0 : destinationPort === localPort ? 1 : undefined,
  ({ destinations }, { localAddress }) => rangeScore(destinations, localAddress),
  ({ serverNames }, { serverName }) => nameScore(serverNames, serverName),
  ({ transport }, { tls }) => (transport === "" ? 0 : (transport === "tls") === tls ? 1 : undefined),
  ({ alpn }, facts) => (alpn.length === 0 ? 0 : alpn.some((name) => facts.alpn.includes(name)) ? 1 : undefined),
  ({ sources }, { remoteAddress }) => rangeScore(sources, remoteAddress),
  ({ sourcePorts }, { remotePort }) =>
    sourcePorts.length === 0 ? 0 : sourcePorts.includes(remotePort) ? 1 : undefined,
];

/** The chain that takes a connection: the one that fits most exactly; undefined when none does. */
export function chooseChain<Chain extends { readonly match: ChainMatch }>(
  chains: readonly Chain[],
  facts: ConnectionFacts,
): Chain | undefined {
  let left = chains;
  for (const score of respects) {
    const scored = left.flatMap((chain) => {
      const fits = score(chain.match, facts);
      return fits === undefined ? [] : [{ chain, fits }];
    });
    const best = scored.reduce((max, { fits }) => Math.max(max, fits), 0);
    left = scored.filter(({ fits }) => fits === best).map(({ chain }) => chain);
  }
  return left[0];
}

function rangeScore(ranges: readonly AddressRange[], address: string): number | undefined {
  if (ranges.length === 0) return 0;
  let best: number | undefined;
  for (const range of ranges) if (includes(range, address)) best = Math.max(best ?? 0, range.prefixLength + 1);
  return best;
}

function includes({ address, prefixLength }: AddressRange, candidate: string): boolean {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const range = new BlockList();
  range.addSubnet(address, prefixLength, family);
  return range.check(candidate, isIPv6(candidate) ? "ipv6" : "ipv4");
}

/** The exact name, then the longest suffix. */
function nameScore(names: readonly string[], serverName: string): number | undefined {
  if (names.length === 0) return 0;
  let best: number | undefined;
  for (const name of names) {
    if (name === serverName) return Number.MAX_SAFE_INTEGER;
    if (name.startsWith("*.") && serverName.endsWith(name.slice(1))) best = Math.max(best ?? 0, name.length);
  }
  return best;
}
