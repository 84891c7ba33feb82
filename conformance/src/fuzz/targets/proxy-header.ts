import assert from "node:assert/strict";
import { isIP } from "node:net";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "@fairlead/proxy-runtime/proxy-header";
import { type FuzzTarget, hex, words } from "../fuzz-target.ts";

const V2 = "0d0a0d0a000d0a515549540a";

export const proxyHeaderTarget: FuzzTarget = {
  name: "proxy-header",
  sources: ["libs/proxy/runtime/src/listener-filters/proxy-header.ts"],
  seeds: () => [
    ...words(
      "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\nGET /",
      "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
      "PROXY UNKNOWN\r\n",
    ),
    ...hex(
      `${V2}2111000ccb007107c0000201c82201bb`,
      `${V2}21210024${"20010db8".padEnd(32, "0")}${"1".padStart(32, "0")}000101bb`,
      `${V2}20000000`,
      `${V2}21110013cb007107c0000201c82201bb0400040a0b0c0d`,
      `${V2}213100d8${"00".repeat(216)}`,
    ),
  ],
  dictionary: [
    ...words("PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "\r\n", " 0", " 65536", "::", "1.2.3.4", "%eth0"),
    ...hex(V2, "2111000c", "21210024", "2000", "0000", "ffff", "1000"),
  ],
  run(bytes) {
    const whole = readProxyHeader(bytes);
    for (let length = 1; length < bytes.length; length += 1 + (length >> 3)) {
      const beginning = readProxyHeader(bytes.subarray(0, length));
      if (beginning !== "more") assert.deepEqual(beginning, whole, `with ${length} of ${bytes.length} bytes`);
    }
    if (typeof whole === "string") {
      if (whole === "more") assert(bytes.length < MAX_PROXY_HEADER_BYTES, "it waits for ever");
      return whole;
    }
    if (!("length" in whole)) return `bad ${whole.version}`;
    assert(whole.length <= bytes.length && whole.length <= MAX_PROXY_HEADER_BYTES);
    const { ends } = whole;
    if (ends === undefined) return `${whole.version} none`;
    for (const { address, port } of [ends.source, ends.destination])
      assert(isIP(address) !== 0 && port >= 0 && port <= 65_535, address);
    return `${whole.version} ${isIP(ends.source.address)} ${Math.min(3, whole.tlvs.length)}`;
  },
};
