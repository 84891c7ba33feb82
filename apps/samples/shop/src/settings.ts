import { hostname } from "node:os";

/** Where one instance of a service listens, and where its sidecar does. */
export interface Settings {
  /** Of the application itself, on `bind`; 0 = a free one. */
  readonly port: number;
  readonly bind: string;
  /** The label `version`, which subsets select by. */
  readonly version: string;
  /** How answers name this process. */
  readonly instance: string;
  /** The sidecar's registration endpoint. */
  readonly sidecarApi: URL;
  /** The sidecar's outbound port, where calls to other services go. */
  readonly outbound: URL;
}

function portNumber(name: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`${name} is ${JSON.stringify(text)}; it must be a port, 0 to 65535`);
  return port;
}

function httpUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:")
    throw new Error(`${name} is ${JSON.stringify(text)}; it must be a URL such as http://127.0.0.1:13330`);
  return url;
}

/**
 * Reads SHOP_PORT, SHOP_BIND, SHOP_VERSION, SHOP_INSTANCE, SHOP_SIDECAR_API and SHOP_OUTBOUND. An empty one counts as not set.
 *
 * @throws Error that names the variable
 */
export function readSettings(service: string, environment: Readonly<Record<string, string | undefined>>): Settings {
  const version = environment["SHOP_VERSION"] || "v1";
  return {
    port: portNumber("SHOP_PORT", environment["SHOP_PORT"] || "8080"),
    bind: environment["SHOP_BIND"] || "127.0.0.1",
    version,
    instance: environment["SHOP_INSTANCE"] || `${service}-${version}-${hostname()}`,
    sidecarApi: httpUrl("SHOP_SIDECAR_API", environment["SHOP_SIDECAR_API"] || "http://127.0.0.1:13330"),
    outbound: httpUrl("SHOP_OUTBOUND", environment["SHOP_OUTBOUND"] || "http://127.0.0.1:15001"),
  };
}
