import type { RequestHead } from "@fairlead/proxy-stream";
import { RouteEntry } from "./route-entry.ts";
import type { RouteTableSpec } from "./route-spec.ts";
import { VirtualHosts } from "./virtual-hosts.ts";

/** From a request's head to its route. Immutable; a request keeps the one it began with. */
export class RouteTable {
  readonly name: string;
  readonly #hosts = new VirtualHosts<readonly RouteEntry[]>();
  readonly #ignorePort: boolean;

  /** @throws FairleadError FL_ROUTE_INVALID, naming the field */
  constructor(spec: RouteTableSpec) {
    this.name = spec.name;
    this.#ignorePort = spec.ignorePort === true;
    for (const [h, host] of spec.virtualHosts.entries()) {
      const where = `virtual_hosts[${h}]`;
      const routes = host.routes.map((route, r) => new RouteEntry(spec, host, route, `${where}.routes[${r}]`));
      for (const domain of host.domains) this.#hosts.add(domain, routes, `${where}.domains`);
    }
  }

  /** The first route that matches, of the virtual host that takes the authority. */
  find(head: RequestHead): RouteEntry | undefined {
    const routes = this.#hosts.find(this.#ignorePort ? withoutPort(head.authority) : head.authority);
    if (routes === undefined) return undefined;
    const mark = head.path.indexOf("?");
    const path = mark === -1 ? head.path : head.path.slice(0, mark);
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i];
      if (route?.matches(head, path) === true) return route;
    }
    return undefined;
  }
}

/** The colons of an IPv6 address are inside brackets. */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon === -1 || authority.endsWith("]")) return authority;
  for (let i = colon + 1; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (code < 48 || code > 57) return authority;
  }
  return authority.slice(0, colon);
}
