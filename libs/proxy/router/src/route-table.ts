import type { RequestHead } from "@fairlead/proxy-stream";
import { endSearch, startSearch } from "./regex/bounded-match.ts";
import { RouteEntry } from "./route-entry.ts";
import type { RouteSpec, RouteTableSpec } from "./route-spec.ts";
import { compileVirtualClusters } from "./virtual-cluster.ts";
import { VirtualHosts } from "./virtual-hosts.ts";

/** From a request's head to its route. Immutable; a request keeps the one it began with. */
export class RouteTable {
  readonly name: string;
  readonly #hosts = new VirtualHosts<RoutesOfHost>();
  /** In lower case: taken away from requests that come from outside. */
  readonly internalOnlyHeaders: readonly string[];
  readonly #ignorePort: boolean;

  /** @throws FairleadError FL_ROUTE_INVALID, naming the field */
  constructor(spec: RouteTableSpec) {
    this.name = spec.name;
    this.internalOnlyHeaders = spec.internalOnlyHeaders ?? [];
    this.#ignorePort = spec.ignorePort === true;
    for (const [h, host] of spec.virtualHosts.entries()) {
      const where = `virtual_hosts[${h}]`;
      const find = compileVirtualClusters(host.virtualClusters, host.name, `${where}.virtual_clusters`);
      const routes = {
        entries: host.routes.map((route, r) => new RouteEntry(spec, host, route, `${where}.routes[${r}]`, find)),
        toHttps: host.requireTls === true ? new RouteEntry(spec, host, httpsRedirect, where) : undefined,
      };
      for (const domain of host.domains) this.#hosts.add(domain, routes, `${where}.domains`);
    }
  }

  /**
   * The first route that matches, of the virtual host that takes the authority.
   *
   * @param random uniform in [0, 1); asked only for routes that take a share of the requests
   * @throws MatchTooLong when a pattern, or all of them together, would take too long: the request must be refused
   */
  find(head: RequestHead, random: () => number = Math.random): RouteEntry | undefined {
    const found = this.#hosts.find(this.#ignorePort ? withoutPort(head.authority) : head.authority);
    if (found === undefined) return undefined;
    const { entries, toHttps } = found;
    if (toHttps !== undefined && (head.headers.get("x-forwarded-proto") ?? head.scheme) !== "https") return toHttps;
    // CONNECT has no path: only routes that are for it take it.
    if (head.path === "") return entries.find((route) => route.takesConnect && route.matches(head, "", random));
    const mark = head.path.indexOf("?");
    const path = mark === -1 ? head.path : head.path.slice(0, mark);
    startSearch();
    try {
      for (let i = 0; i < entries.length; i++) {
        const route = entries[i];
        if (route?.matches(head, path, random) === true) return route;
      }
      return undefined;
    } finally {
      endSearch();
    }
  }
}

interface RoutesOfHost {
  readonly entries: readonly RouteEntry[];
  /** Of a host that is served over TLS only. */
  readonly toHttps: RouteEntry | undefined;
}

const httpsRedirect: RouteSpec = {
  name: "",
  match: { path: { kind: "prefix", value: "/" } },
  action: { kind: "redirect", status: 301, scheme: "https", stripQuery: false },
};

/** The colons of an IPv6 address are inside brackets. */
function withoutPort(authority: string): string {
  let at = authority.length - 1;
  while (at >= 0 && isDigit(authority.charCodeAt(at))) at--;
  return at >= 0 && authority.charCodeAt(at) === COLON ? authority.slice(0, at) : authority;
}

const COLON = 58;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
