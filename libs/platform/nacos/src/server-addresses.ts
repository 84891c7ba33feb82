import { invalidAddress } from "./nacos-error.ts";

export interface NacosAddress {
  /** Without the brackets of IPv6. */
  readonly host: string;
  /** Of HTTP. */
  readonly port: number;
  /** Of gRPC: Nacos' own rule puts it 1000 above. */
  readonly grpcPort: number;
}

const defaultPort = 8848;
const grpcOffset = 1_000;

/**
 * `nacos1:8848,nacos2:8848`, as Nacos' own clients take it; IPv6 in brackets.
 *
 * @throws FairleadError FL_NACOS_ADDRESS_INVALID
 */
export function parseNacosAddresses(text: string): readonly NacosAddress[] {
  return text.split(",").map((part) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(part.trim());
    const port = Number(match?.[2] ?? defaultPort);
    if (match === null || port < 1 || port + grpcOffset > 65_535) throw invalidAddress(text);
    return { host: match[1]!.replace(/^\[|\]$/g, ""), port, grpcPort: port + grpcOffset };
  });
}

/** Host and port in one text, with the brackets that IPv6 needs. */
export function authorityOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
