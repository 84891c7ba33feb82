import { BlockList, isIPv6 } from "node:net";
import type { ConnectionFacts } from "@fairlead/proxy-filter";

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
  /** Of the connection's own peer. */
  readonly directSources: readonly AddressRange[];
  /** `local`: from this machine. */
  readonly sourceType: "any" | "local" | "external";
  /** Of the client. */
  readonly sources: readonly AddressRange[];
  readonly sourcePorts: readonly number[];
}

export const matchesAny: ChainMatch = {
  destinationPort: undefined,
  destinations: [],
  serverNames: [],
  transport: "",
  alpn: [],
  directSources: [],
  sourceType: "any",
  sources: [],
  sourcePorts: [],
};

/** How well a chain fits in one respect: undefined = not; 0 = it does not ask; more = the more exact. */
type Score = (match: ChainMatch, facts: Readonly<ConnectionFacts>) => number | undefined;

/** In Envoy's order: a respect counts only among chains that are equal in those before it. */
const respects: readonly Score[] = [
  ({ destinationPort }, { localPort }) =>
    destinationPort === undefined ? 0 : destinationPort === localPort ? 1 : undefined,
  ({ destinations }, { localAddress }) => rangeScore(destinations, localAddress),
  ({ serverNames }, { serverName }) => nameScore(serverNames, serverName),
  ({ transport }, { tls }) => (transport === "" ? 0 : (transport === "tls") === tls ? 1 : undefined),
  ({ alpn }, facts) => (alpn.length === 0 ? 0 : alpn.some((name) => facts.alpn.includes(name)) ? 1 : undefined),
  ({ directSources }, { directRemoteAddress }) => rangeScore(directSources, directRemoteAddress),
  ({ sourceType }, facts) => (sourceType === "any" ? 0 : (sourceType === "local") === isLocal(facts) ? 1 : undefined),
  ({ sources }, { remoteAddress }) => rangeScore(sources, remoteAddress),
  ({ sourcePorts }, { remotePort }) =>
    sourcePorts.length === 0 ? 0 : sourcePorts.includes(remotePort) ? 1 : undefined,
];

/** The chain that takes a connection: the one that fits most exactly; undefined when none does. */
export function chooseChain<Chain extends { readonly match: ChainMatch }>(
  chains: readonly Chain[],
  facts: Readonly<ConnectionFacts>,
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

/** From the loopback, or from an address that is the connection's other end as well. */
function isLocal({ remoteAddress, localAddress }: Readonly<ConnectionFacts>): boolean {
  return remoteAddress === localAddress || remoteAddress.startsWith("127.") || remoteAddress === "::1";
}

/** Whether it takes any connection. */
export function asksNothing(match: ChainMatch): boolean {
  return respectsAsked.every((asks) => !asks(match));
}

const respectsAsked: readonly ((match: ChainMatch) => boolean)[] = [
  ({ destinationPort }) => destinationPort !== undefined,
  ({ destinations }) => destinations.length > 0,
  ({ serverNames, transport, alpn }) => serverNames.length > 0 || transport !== "" || alpn.length > 0,
  ({ directSources, sources, sourcePorts }) => directSources.length + sources.length + sourcePorts.length > 0,
  ({ sourceType }) => sourceType !== "any",
];

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
