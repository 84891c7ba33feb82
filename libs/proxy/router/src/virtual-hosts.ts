import { invalidRoute } from "./route-error.ts";

/**
 * Finds the virtual host of a Host: the exact domain, else the longest `*.suffix`, else the longest `prefix.*`, else `*`.
 * Case does not count.
 */
export class VirtualHosts<Value> {
  readonly #exact = new Map<string, Value>();
  /** By length, the longest first. */
  readonly #suffixes: (readonly [suffix: string, value: Value])[] = [];
  readonly #prefixes: (readonly [prefix: string, value: Value])[] = [];
  #any: Value | undefined;
  readonly #domains = new Set<string>();
  /** What was looked up last: a proxy's callers mostly call what they called before. */
  #lastAuthority: string | undefined;
  #lastFound: Value | undefined;

  /** @throws FairleadError FL_ROUTE_INVALID for a domain that is there already, or with a `*` in the middle */
  add(domain: string, value: Value, where: string): void {
    const name = domain.toLowerCase();
    if (this.#domains.has(name)) throw invalidRoute(where, `the domain ${domain} is in the table twice`);
    if (domain === "") throw invalidRoute(where, "an empty domain");
    this.#domains.add(name);
    this.#lastAuthority = undefined;
    const star = name.indexOf("*");
    if (star === -1) this.#exact.set(name, value);
    else if (star !== name.lastIndexOf("*") || (star !== 0 && star !== name.length - 1)) {
      throw invalidRoute(where, `the domain ${domain} has a * elsewhere than at one end`);
    } else if (name === "*") this.#any = value;
    else if (star === 0) insertByLength(this.#suffixes, name.slice(1), value);
    else insertByLength(this.#prefixes, name.slice(0, -1), value);
  }

  find(authority: string): Value | undefined {
    if (authority !== this.#lastAuthority) {
      this.#lastFound = this.#look(authority);
      this.#lastAuthority = authority;
    }
    return this.#lastFound;
  }

  #look(authority: string): Value | undefined {
    const host = authority.toLowerCase();
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (const [suffix, value] of this.#suffixes)
      if (host.length > suffix.length && host.endsWith(suffix)) return value;
    for (const [prefix, value] of this.#prefixes)
      if (host.length > prefix.length && host.startsWith(prefix)) return value;
    return this.#any;
  }
}

function insertByLength<Value>(list: (readonly [string, Value])[], text: string, value: Value): void {
  const at = list.findIndex(([other]) => other.length < text.length);
  if (at === -1) list.push([text, value]);
  else list.splice(at, 0, [text, value]);
}
