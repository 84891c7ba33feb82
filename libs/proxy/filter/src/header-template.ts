import { hostname } from "node:os";
import type { HeaderTemplate } from "@fairlead/proxy-router";
import { StreamInfo } from "./stream-info.ts";

type Operator = (info: StreamInfo, argument: string) => string | undefined;

const withPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
const ownHostname = hostname();

const protocolNames: Readonly<Record<string, string>> = { http1: "HTTP/1.1", http2: "HTTP/2" };

/** Envoy's command operators that have a meaning here; the argument is what is in parentheses. */
const operators: Readonly<Record<string, Operator>> = {
  REQ: (info, argument) => headerOf(argument, (name) => requestHeader(info, name)),
  RESP: (info, argument) => headerOf(argument, (name) => info.response?.headers.getJoined(name)),
  PROTOCOL: ({ protocol }) => protocolNames[protocol] ?? protocol,
  START_TIME: () => new Date().toISOString(),
  RESPONSE_CODE: (info) => String(info.status),
  RESPONSE_CODE_DETAILS: (info) => info.details,
  RESPONSE_FLAGS: (info) => info.flags,
  ROUTE_NAME: (info) => info.routeName,
  UPSTREAM_CLUSTER: (info) => info.cluster,
  UPSTREAM_HOST: (info) => info.upstreamHost,
  UPSTREAM_REMOTE_ADDRESS: (info) => info.upstreamHost,
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (info) => String(info.attempts),
  DOWNSTREAM_REMOTE_ADDRESS: ({ connection }) => withPort(connection.remoteAddress, connection.remotePort),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (info) => info.clientAddress,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: ({ connection }) => withPort(connection.remoteAddress, connection.remotePort),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: ({ connection }) => connection.remoteAddress,
  DOWNSTREAM_LOCAL_ADDRESS: ({ connection }) => withPort(connection.localAddress, connection.localPort),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ({ connection }) => connection.localAddress,
  DOWNSTREAM_LOCAL_PORT: ({ connection }) => String(connection.localPort),
  HOSTNAME: () => ownHostname,
};

/** Names that take an argument, and must have one. */
const withArgument: ReadonlySet<string> = new Set(["REQ", "RESP"]);

export const templateOperators: readonly string[] = Object.keys(operators);

/**
 * Text with command operators (`%NAME%`, `%REQ(x-a?x-b):20%`); `%%` is a percent sign.
 *
 * @returns the text itself where it has none; undefined for a text that has an operator which is not known
 */
export function compileHeaderTemplate(text: string): string | HeaderTemplate | undefined {
  const parts: (string | ((info: StreamInfo) => string))[] = [];
  for (const [part] of text.matchAll(/%%|%[^%]*%?|[^%]+/g)) {
    if (part === "%%") parts.push("%");
    else if (!part.startsWith("%")) parts.push(part);
    else {
      const operator = compileOperator(part);
      if (operator === undefined) return undefined;
      parts.push(operator);
    }
  }
  if (parts.every((part) => typeof part === "string")) return parts.join("");
  return {
    render: (stream) => {
      if (!(stream instanceof StreamInfo)) return "";
      return clean(parts.map((part) => (typeof part === "string" ? part : part(stream))).join(""));
    },
  };
}

function compileOperator(part: string): ((info: StreamInfo) => string) | undefined {
  const found = /^%([A-Z_]+)(?:\(([^()]*)\))?(?::(\d{1,5}))?%$/.exec(part);
  if (found === null) return undefined;
  const [, name = "", argument, length] = found;
  const operator = operators[name];
  if (operator === undefined || (argument === undefined) === withArgument.has(name)) return undefined;
  return (info) => {
    const value = operator(info, argument ?? "") ?? "";
    return length === undefined ? value : value.slice(0, Number(length));
  };
}

/** `a?b`: the first, or the second where that is missing. */
function headerOf(argument: string, get: (name: string) => string | undefined): string | undefined {
  const [first = "", second] = argument.toLowerCase().split("?");
  return get(first) ?? (second === undefined ? undefined : get(second));
}

function requestHeader({ request }: StreamInfo, name: string): string | undefined {
  switch (name) {
    case ":authority":
      return request?.authority;
    case ":path":
      return request?.path;
    case ":method":
      return request?.method;
    case ":scheme":
      return request?.scheme;
    default:
      return request?.headers.getJoined(name);
  }
}

/** What came from a client or host must not be able to end the header. */
function clean(value: string): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? value : value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "");
}
