/**
 * A URL as Dubbo writes it: `dubbo://10.0.0.5:20880/org.x.Greeter?version=1.0.0&group=blue`. Values of parameters are not escaped on their own;
 * the whole URL is, where it becomes the name of a node.
 */
export interface DubboUrl {
  /** `dubbo`, `tri`, `rest`, `consumer`, `override`, `route` … */
  readonly scheme: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** 0 where there is none: consumers. */
  readonly port: number;
  /** Without the slash before it. */
  readonly path: string;
  /** In the order of the URL; a name that comes twice has its last value. */
  readonly parameters: ReadonlyMap<string, string>;
}

const longest = 64 * 1024;
const shape =
  /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(?:[^/?@]*@)?(\[[0-9a-fA-F:.%]+\]|[^:/?@\s[\]]+)(?::(\d{1,5}))?(?:\/([^?]*))?(?:\?(.*))?$/s;

/** @returns undefined for what is no URL: a node that something else has put there */
export function parseDubboUrl(text: string): DubboUrl | undefined {
  if (text.length > longest) return undefined;
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, scheme, host, port, path, query] = match;
  const portNumber = Number(port ?? 0);
  if (portNumber > 65_535) return undefined;
  const parameters = new Map<string, string>();
  const list = query ?? "";
  for (let at = 0; at < list.length;) {
    const next = list.indexOf("&", at);
    const end = next === -1 ? list.length : next;
    const equals = list.indexOf("=", at);
    if (equals > at && equals < end) parameters.set(list.slice(at, equals), list.slice(equals + 1, end));
    at = end + 1;
  }
  const bare = host!.startsWith("[") ? host!.slice(1, -1) : host!;
  return { scheme: scheme!, host: bare, port: portNumber, path: path ?? "", parameters };
}

/** Parameters in the order of their names: the same URL for the same facts. */
export function formatDubboUrl({ scheme, host, port, path, parameters }: DubboUrl): string {
  const authority = `${host.includes(":") ? `[${host}]` : host}${port === 0 ? "" : `:${port}`}`;
  const query = [...parameters]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return `${scheme}://${authority}/${path}${query === "" ? "" : `?${query}`}`;
}
