import { isIPv4, isIPv6 } from "node:net";

/** An end of the connection that a load balancer speaks for. */
export interface ProxiedAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * The header that HAProxy's PROXY protocol puts before a connection's bytes (haproxy.org, proxy-protocol.txt).
 *
 * ```
 *   v1   PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n            at most 107 bytes
 *   v2   0d0a0d0a000d0a515549540a │ 2,command │ family,protocol │ length │ addresses │ TLVs
 *                12 bytes         │  1 byte   │     1 byte      │   2    │      length bytes
 * ```
 */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Of the header itself. */
  readonly length: number;
  /** undefined: the balancer speaks for itself (a health check), or does not know. */
  readonly ends: { readonly source: ProxiedAddress; readonly destination: ProxiedAddress } | undefined;
  readonly tlvs: readonly { readonly type: number; readonly value: Buffer }[];
}

/** The version of a header that cannot be used, once it is known. */
export interface BadProxyHeader {
  readonly version: 1 | 2;
}

const V1 = Buffer.from("PROXY ");
const V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
/** With the line's end. */
const MAX_V1_BYTES = 107;
/** Addresses and TLVs: 65,535 could be said; nobody needs them. */
const MAX_V2_REST = 4096;
export const MAX_PROXY_HEADER_BYTES = V2.length + 4 + MAX_V2_REST;

/** @returns `absent` when the bytes cannot be the beginning of one, `more` while it is not complete */
export function readProxyHeader(bytes: Buffer): ProxyHeader | BadProxyHeader | "absent" | "more" {
  if (startsLike(bytes, V2)) return bytes.length < V2.length + 4 ? "more" : readV2(bytes);
  if (startsLike(bytes, V1)) return readV1(bytes);
  return "absent";
}

/** Of the two, the shorter one decides. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function readV1(bytes: Buffer): ProxyHeader | BadProxyHeader | "more" {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf("\r\n");
  if (end === -1) return bytes.length >= MAX_V1_BYTES ? { version: 1 } : "more";
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = "", ...rest] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  const header = { version: 1, length: end + 2, tlvs: [] } as const;
  // Whatever follows it: the balancer does not know.
  if (family === "UNKNOWN") return { ...header, ends: undefined };
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : () => false;
  const ports = [portOf(sourcePort), portOf(destinationPort)] as const;
  if (rest.length > 0 || !isAddress(source) || !isAddress(destination) || ports.includes(-1)) return { version: 1 };
  return {
    ...header,
    ends: {
      source: { address: source, port: ports[0] },
      destination: { address: destination, port: ports[1] },
    },
  };
}

/** Decimal, without a sign or leading zeros: two readers must not read two things. */
function portOf(text: string): number {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : -1;
}

/** Bytes of the addresses, by family and protocol: IPv4, IPv6 and Unix streams. */
const addressBytes: Readonly<Record<number, number>> = { 0x11: 12, 0x21: 36, 0x31: 216 };

function readV2(bytes: Buffer): ProxyHeader | BadProxyHeader | "more" {
  const command = bytes[12]!;
  const family = bytes[13]!;
  const rest = bytes.readUInt16BE(14);
  const length = 16 + rest;
  if ((command !== 0x20 && command !== 0x21) || rest > MAX_V2_REST) return { version: 2 };
  if (bytes.length < length) return "more";
  const header = { version: 2, length } as const;
  // LOCAL: what is said of addresses is not to be believed.
  if (command === 0x20) return { ...header, ends: undefined, tlvs: [] };
  if (family === 0x00) return { ...header, ends: undefined, tlvs: [] };
  const size = addressBytes[family];
  // Datagrams cannot come over a stream.
  if (size === undefined || rest < size) return { version: 2 };
  const tlvs = readTlvs(bytes.subarray(16 + size, length));
  if (tlvs === undefined) return { version: 2 };
  return { ...header, ends: readEnds(bytes.subarray(16, 16 + size)), tlvs };
}

function readEnds(block: Buffer): ProxyHeader["ends"] {
  if (block.length === 12)
    return {
      source: { address: block.subarray(0, 4).join("."), port: block.readUInt16BE(8) },
      destination: { address: block.subarray(4, 8).join("."), port: block.readUInt16BE(10) },
    };
  if (block.length !== 36) return undefined;
  return {
    source: { address: ipv6Text(block.subarray(0, 16)), port: block.readUInt16BE(32) },
    destination: { address: ipv6Text(block.subarray(16, 32)), port: block.readUInt16BE(34) },
  };
}

/** As the system writes it (RFC 5952). */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_group, i) => bytes.readUInt16BE(i * 2).toString(16)).join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

function readTlvs(bytes: Buffer): ProxyHeader["tlvs"] | undefined {
  const tlvs: { type: number; value: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 3 > bytes.length) return undefined;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    tlvs.push({ type: bytes[at]!, value: bytes.subarray(at + 3, end) });
    at = end;
  }
  return tlvs;
}
