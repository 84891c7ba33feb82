import { Resolver } from "node:dns/promises";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { HostSpec } from "@fairlead/proxy-upstream";
import type { DnsDiscovery } from "../translate/dns-discovery.ts";

export interface ResolvedAddress {
  readonly address: string;
  /** undefined when the resolver does not tell. */
  readonly ttlSeconds: number | undefined;
}

/** Rejects when the name cannot be resolved now; empty when it has no address. */
export type ResolveName = (
  name: string,
  family: DnsDiscovery["family"],
  withTtl: boolean,
) => Promise<readonly ResolvedAddress[]>;

export interface DnsHostsOptions {
  readonly dns: DnsDiscovery;
  readonly resolve: ResolveName;
  /** All hosts, each time that they are others than before; the first time in any case. */
  readonly onHosts: (hosts: readonly HostSpec[]) => void;
  readonly onResult: (success: boolean) => void;
}

/** Hosts by names, followed until it is closed. */
export interface WatchedNames {
  close(): void;
}

/** Follows the names of a cluster's hosts. Nothing is told before it returns. */
export type WatchNames = (cluster: string, options: Omit<DnsHostsOptions, "resolve">) => WatchedNames;

/** What waits at most for a first answer: an unreachable resolver must not hold the start up. */
const FIRST_ANSWER_MS = 5000;

/** The hosts of a DNS cluster: asks again from time to time; keeps what it knows when there is no answer. */
export class DnsHosts implements WatchedNames {
  readonly #options: DnsHostsOptions;
  readonly #known = new Map<string, readonly string[]>();
  #timer: NodeJS.Timeout | undefined;
  #first: NodeJS.Timeout | undefined;
  #told: string | undefined;
  #closed = false;

  constructor(options: DnsHostsOptions) {
    this.#options = options;
    this.#first = setTimeout(() => this.#tell(), FIRST_ANSWER_MS);
    this.#first.unref();
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#first);
  }

  async #ask(): Promise<void> {
    const { dns, onResult } = this.#options;
    const names = new Set(dns.endpoints.map((endpoint) => endpoint.address).filter((address) => isIP(address) === 0));
    let failed = false;
    let ttlSeconds = Number.POSITIVE_INFINITY;
    await Promise.all(
      [...names].map(async (name) => {
        try {
          const found = await this.#options.resolve(name, dns.family, dns.respectTtl);
          this.#known.set(name, found.map(({ address }) => address).toSorted());
          for (const { ttlSeconds: ttl } of found) ttlSeconds = Math.min(ttlSeconds, ttl ?? Number.POSITIVE_INFINITY);
        } catch {
          failed = true;
        }
      }),
    );
    if (this.#closed) return;
    onResult(!failed);
    clearTimeout(this.#first);
    this.#tell();
    const byTtl =
      dns.respectTtl && ttlSeconds !== Number.POSITIVE_INFINITY ? Math.max(ttlSeconds, 1) * 1000 : dns.refreshMs;
    this.#timer = setTimeout(() => void this.#ask(), failed ? dns.failureRefreshMs : byTtl);
    this.#timer.unref();
  }

  #tell(): void {
    const { dns, onHosts } = this.#options;
    const hosts = dns.endpoints.flatMap((endpoint) => {
      const addresses = isIP(endpoint.address) === 0 ? (this.#known.get(endpoint.address) ?? []) : [endpoint.address];
      const used = dns.logical ? addresses.slice(0, 1) : addresses;
      const hostname =
        endpoint.hostname === "" || endpoint.hostname === undefined ? endpoint.address : endpoint.hostname;
      return used.map((address) => ({ ...endpoint, address, hostname }));
    });
    const text = JSON.stringify(hosts);
    if (text === this.#told) return;
    this.#told = text;
    onHosts(hosts);
  }
}

/** The system's resolver (with its hosts file); the servers themselves where the time to live is asked for. */
export const systemResolve: ResolveName = async (name, family, withTtl) => {
  if (withTtl) {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    const v4 = (): Promise<{ address: string; ttl: number }[]> => resolver.resolve4(name, { ttl: true });
    const v6 = (): Promise<{ address: string; ttl: number }[]> => resolver.resolve6(name, { ttl: true });
    try {
      const found = await byFamily(family, v4, v6);
      return found.map(({ address, ttl }) => ({ address, ttlSeconds: ttl }));
    } catch {
      // A name of the hosts file, which the servers do not know.
    }
  }
  const of = (version: 4 | 6) => (): Promise<{ address: string }[]> => lookup(name, { all: true, family: version });
  const found = await byFamily(family, of(4), of(6));
  return found.map(({ address }) => ({ address, ttlSeconds: undefined }));
};

/** `auto`: IPv6, and IPv4 when there is none. Rejects when there is no address at all. */
async function byFamily<Address>(
  family: DnsDiscovery["family"],
  v4: () => Promise<Address[]>,
  v6: () => Promise<Address[]>,
): Promise<Address[]> {
  if (family === "v4") return v4();
  if (family === "v6") return v6();
  if (family === "all") {
    const settled = await Promise.allSettled([v4(), v6()]);
    const found = settled.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    return found.length > 0 ? found : v4();
  }
  const [first, second] = family === "v4Preferred" ? [v4, v6] : [v6, v4];
  try {
    return await first();
  } catch {
    return second();
  }
}
