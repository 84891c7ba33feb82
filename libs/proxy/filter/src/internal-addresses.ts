import { BlockList, isIPv6 } from "node:net";

/** Addresses whose requests are from inside: they may use `x-envoy-` control headers. */
export class InternalAddresses {
  readonly #ranges = new BlockList();

  add(address: string, prefixLength: number): void {
    this.#ranges.addSubnet(address, prefixLength, isIPv6(address) ? "ipv6" : "ipv4");
  }

  includes(address: string): boolean {
    return this.#ranges.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }
}
