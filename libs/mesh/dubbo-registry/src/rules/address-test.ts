import { BlockList, isIP } from "node:net";

/** An address as a provider has it. */
export interface HostAndPort {
  readonly address: string;
  readonly port: number;
}

type AddressTest = (provider: HostAndPort) => boolean;
const anyHosts: ReadonlySet<string> = new Set(["*", "0.0.0.0", "*.*.*.*"]);

/**
 * As Dubbo reads addresses in rules: `10.0.0.1`, `10.0.0.1:20880`, `0.0.0.0:20880` (any host), `10.0.*.*`, `10.0.0.1-9`, `10.0.0.0/16`.
 *
 * @returns undefined for what is no such thing
 */
export function addressTest(text: string): AddressTest | undefined {
  const pattern = text.trim();
  if (pattern === "") return undefined;
  const withPort = /^(\[[^\]]+\]|[^:]*):(\d{1,5}|\*)$/.exec(pattern);
  const host = (withPort?.[1] ?? pattern).replace(/^\[|\]$/g, "");
  const port = withPort?.[2] === undefined || withPort[2] === "*" ? undefined : Number(withPort[2]);
  const hostMatches = hostTest(host);
  if (hostMatches === undefined) return undefined;
  return (provider) => (port === undefined || provider.port === port) && hostMatches(provider.address);
}

function hostTest(host: string): ((address: string) => boolean) | undefined {
  if (anyHosts.has(host)) return () => true;
  const slash = host.indexOf("/");
  if (slash > 0) return subnetTest(host.slice(0, slash), Number(host.slice(slash + 1)));
  const parts = host.split(".");
  if (parts.length === 4 && parts.some((part) => /[*-]/.test(part))) {
    const tests = parts.map(octetTest);
    return (address) => {
      const octets = address.split(".");
      return octets.length === 4 && tests.every((test, index) => test(octets[index]!));
    };
  }
  return (address) => address === host;
}

function octetTest(part: string): (octet: string) => boolean {
  if (part === "*") return () => true;
  const range = /^(\d{1,3})-(\d{1,3})$/.exec(part);
  if (range === null) return (octet) => octet === part;
  const [from, to] = [Number(range[1]), Number(range[2])];
  return (octet) => Number(octet) >= from && Number(octet) <= to;
}

function subnetTest(address: string, prefix: number): ((address: string) => boolean) | undefined {
  const family = isIP(address);
  if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  return (other) => {
    const own = isIP(other);
    return own !== 0 && list.check(other, own === 4 ? "ipv4" : "ipv6");
  };
}

/** Any of them. @returns undefined when one of them is no address */
export function anyAddress(texts: readonly string[]): AddressTest | undefined {
  const tests = texts.map(addressTest);
  if (tests.some((test) => test === undefined)) return undefined;
  return (provider) => tests.some((test) => test!(provider));
}
