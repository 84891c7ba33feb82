import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { FairleadError } from "@fairlead/errors";
import "./errors.ts";

/** Of an Origin or Host header: without scheme and port, IPv6 without brackets; "" when it is none. */
function nameIn(authority: string): string {
  const url = URL.parse(`http://${authority}`);
  return url === null ? "" : url.hostname.replace(/^\[(.*)\]$/, "$1");
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/**
 * Our APIs on loopback are not authenticated, and a browser on the machine reaches them for any page. Two ways are closed here:
 * a page that sends a change to another site's address, and a page whose name was made to resolve to 127.0.0.1 (DNS rebinding),
 * which could read too.
 *
 * @returns why the request must be refused; undefined for what is no page's
 */
export function browserRefusal(request: IncomingMessage): FairleadError | undefined {
  const { host = "", origin } = request.headers;
  if (isLoopback(request.socket.localAddress)) {
    const name = nameIn(host);
    if (name !== "localhost" && !name.endsWith(".localhost") && isIP(name) === 0) {
      return new FairleadError(
        "FL_HOST_REFUSED",
        `on loopback the Host is an IP address or localhost, not ${JSON.stringify(host.slice(0, 200))}`,
      );
    }
  }
  if (origin === undefined || request.method === "GET" || request.method === "HEAD") return undefined;
  if (URL.parse(origin)?.host === URL.parse(`http://${host}`)?.host) return undefined;
  return new FairleadError(
    "FL_ORIGIN_REFUSED",
    `a web page of ${JSON.stringify(origin.slice(0, 200))} may not change anything here`,
  );
}
