import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Whether `text` is an address, a network such as 10.0.0.0/8, or a host name. */
export function isHostRule(text: string): boolean {
  const [address, bits, ...rest] = text.split("/");
  if (address === undefined || rest.length > 0) return false;
  if (bits === undefined) return /^[A-Za-z0-9._:-]{1,253}$/.test(address);
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(address) === 6 ? 128 : 32);
}

/**
 * Which hosts registry-sync calls for a gateway. What a gateway announces comes over the bus, so it is not followed anywhere: only
 * to this machine, to the gateway's own, and to what the configuration names.
 */
export class GatewayHosts {
  readonly #addresses = new BlockList();
  readonly #names = new Set<string>();
  readonly #resolve: (name: string) => Promise<readonly string[]>;

  /** @param rules addresses, networks, host names @param resolve a name's addresses; none for one that is not known */
  constructor(rules: readonly string[], resolve: (name: string) => Promise<readonly string[]> = addressesOf) {
    this.#resolve = resolve;
    for (const rule of ["127.0.0.0/8", "::1", "localhost", ...rules]) {
      const [address = "", bits] = rule.split("/");
      if (isIP(address) === 0) this.#names.add(address.toLowerCase());
      else if (bits === undefined) this.#addresses.addAddress(address, family(address));
      else this.#addresses.addSubnet(address, Number(bits), family(address));
    }
  }

  /** @param gatewayId its host's name, a dash, and eight hex digits @param host as a URL has it, IPv6 in brackets */
  async allows(gatewayId: string, host: string): Promise<boolean> {
    const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
    if (isIP(name) === 0 ? this.#names.has(name) : this.#addresses.check(name, family(name))) return true;
    const own = /^(.+)-[0-9a-f]{8}$/.exec(gatewayId)?.[1]?.toLowerCase();
    if (own === undefined) return false;
    return own === name || (isIP(name) !== 0 && (await this.#resolve(own)).includes(name));
  }
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return await lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );
}
