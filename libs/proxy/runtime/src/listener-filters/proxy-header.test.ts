import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readProxyHeader } from "./proxy-header.ts";

const v1 = (line: string): Buffer => Buffer.from(`PROXY ${line}\r\n`);

function v2(command: number, family: number, rest: Buffer): Buffer {
  const head = Buffer.from("0d0a0d0a000d0a515549540a00000000", "hex");
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

const ipv4 = Buffer.from("cb007107c0000201c82201bb", "hex");
const ends = {
  source: { address: "203.0.113.7", port: 51_234 },
  destination: { address: "192.0.2.1", port: 443 },
};

test("both versions say who the client is and where it went", () => {
  const line = v1("TCP4 203.0.113.7 192.0.2.1 51234 443");
  assert.deepEqual(readProxyHeader(line), { version: 1, length: line.length, ends, tlvs: [] });
  const block = v2(0x21, 0x11, ipv4);
  assert.deepEqual(readProxyHeader(block), { version: 2, length: 28, ends, tlvs: [] });
  const six = v1("TCP6 2001:db8::7 ::1 1 2");
  const ends6 = { source: { address: "2001:db8::7", port: 1 }, destination: { address: "::1", port: 2 } };
  assert.deepEqual(readProxyHeader(six), { version: 1, length: six.length, ends: ends6, tlvs: [] });
  const address6 = Buffer.from(`20010db8${"0".repeat(22)}07${"0".repeat(31)}100010002`, "hex");
  assert.deepEqual(readProxyHeader(v2(0x21, 0x21, address6)), { version: 2, length: 52, ends: ends6, tlvs: [] });
});

test("a balancer that speaks for itself, or does not know, leaves the connection's own addresses", () => {
  for (const bytes of [
    v2(0x20, 0x11, ipv4),
    v2(0x20, 0, Buffer.alloc(0)),
    v2(0x21, 0, ipv4),
    v1("UNKNOWN"),
    v1("UNKNOWN ff 1"),
  ]) {
    const header = readProxyHeader(bytes);
    assert.ok(typeof header === "object" && "length" in header, bytes.toString("latin1"));
    assert.equal(header.ends, undefined);
    assert.equal(header.length, bytes.length);
  }
});

test("TLVs are read within their length only", () => {
  const read = (tlvs: string) => readProxyHeader(v2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from(tlvs, "hex")])));
  const header = read("0100026832020001ff");
  assert.deepEqual(typeof header === "object" && "tlvs" in header ? header.tlvs : undefined, [
    { type: 1, value: Buffer.from("h2") },
    { type: 2, value: Buffer.from([0xff]) },
  ]);
  assert.deepEqual(read("01000368"), { version: 2 });
  assert.deepEqual(read("01"), { version: 2 });
});

for (const [what, bytes, version] of [
  ["a port with a leading zero", v1("TCP4 1.2.3.4 5.6.7.8 01 2"), 1],
  ["a port that is none", v1("TCP4 1.2.3.4 5.6.7.8 1 65536"), 1],
  ["a port with a sign", v1("TCP4 1.2.3.4 5.6.7.8 +1 2"), 1],
  ["an address of the other family", v1("TCP4 ::1 5.6.7.8 1 2"), 1],
  ["an address that is none", v1("TCP4 1.2.3 5.6.7.8 1 2"), 1],
  ["an unknown family", v1("UDP4 1.2.3.4 5.6.7.8 1 2"), 1],
  ["more than there is to say", v1("TCP4 1.2.3.4 5.6.7.8 1 2 3"), 1],
  ["two spaces", v1("TCP4  1.2.3.4 5.6.7.8 1 2"), 1],
  ["a line without end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(107)}`), 1],
  ["an unknown command", v2(0x22, 0x11, ipv4), 2],
  ["another version", v2(0x31, 0x11, ipv4), 2],
  ["datagrams", v2(0x21, 0x12, ipv4), 2],
  ["addresses that are cut", v2(0x21, 0x11, ipv4.subarray(1)), 2],
  ["more than 4 KiB", v2(0x21, 0x11, Buffer.alloc(4097)), 2],
] as const)
  test(`${what} is refused`, () => assert.deepEqual(readProxyHeader(bytes), { version }));

test("any split of a header is waited for, and no bytes make it throw", () => {
  const headers = [
    v1("TCP4 203.0.113.7 192.0.2.1 51234 443"),
    v2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from("0100026832", "hex")])),
  ];
  for (const header of headers)
    for (let at = 1; at < header.length; at++) assert.equal(readProxyHeader(header.subarray(0, at)), "more");
  assert.equal(readProxyHeader(Buffer.from("GET / HTTP/1.1\r\n")), "absent");
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom("PROXY ", "\r\n\r\n\0\r\nQUIT\n", "PROXY TCP4 ", ""),
      (tail, start) => {
        readProxyHeader(Buffer.concat([Buffer.from(start, "latin1"), tail]));
      },
    ),
  );
});
