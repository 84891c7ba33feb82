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
  /** Its port for Dubbo and bolt; undefined: nothing is called over these. */
  readonly outboundRpc: { readonly host: string; readonly port: number } | undefined;
  /** Of a Dubbo or bolt service: the port that it is called at; 0 = a free one. */
  readonly rpcPort: number;
  /** `host:port` of the ZooKeeper where a Dubbo service registers itself, and nowhere else; undefined: it is published at its sidecar. */
  readonly zookeeper: string | undefined;
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

/** `host:port`; undefined where it is empty. */
function address(name: string, text: string): { readonly host: string; readonly port: number } | undefined {
  if (text === "") return undefined;
  const [, host, port] = /^([^:]+):(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`${name} is ${JSON.stringify(text)}; it must be like 127.0.0.1:12220`);
  return { host, port: portNumber(name, port!) };
}

/**
 * Reads SHOP_PORT, SHOP_BIND, SHOP_VERSION, SHOP_INSTANCE, SHOP_SIDECAR_API, SHOP_OUTBOUND, SHOP_OUTBOUND_RPC, SHOP_RPC_PORT and
 * SHOP_ZOOKEEPER. An empty one counts as not set.
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
    outboundRpc: address("SHOP_OUTBOUND_RPC", environment["SHOP_OUTBOUND_RPC"] || ""),
    rpcPort: portNumber("SHOP_RPC_PORT", environment["SHOP_RPC_PORT"] || "20880"),
    zookeeper: environment["SHOP_ZOOKEEPER"] || undefined,
  };
}
