import { isIPv6 } from "node:net";

/** Its first bits, as Envoy writes them: `10.1.0.0/16`. */
export function maskedAddress(address: string, ipv4Bits: number, ipv6Bits: number): string {
  if (!isIPv6(address)) {
    const octets = address
      .split(".")
      .map((octet, i) => Number(octet) & (0xff << Math.max(0, 8 - left(ipv4Bits, i, 8))));
    return `${octets.join(".")}/${ipv4Bits}`;
  }
  const groups = groupsOf(address).map((group, i) => group & (0xffff << Math.max(0, 16 - left(ipv6Bits, i, 16))));
  return `${new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1)}/${ipv6Bits}`;
}

/** Of so many bits, those from the i-th part on. */
function left(bits: number, i: number, width: number): number {
  return Math.min(width, Math.max(0, bits - i * width));
}

function groupsOf(address: string): number[] {
  // What follows is one of the forms that the standard library makes of all of them: no dots, at most one "::".
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(head), read(tail ?? "")];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
