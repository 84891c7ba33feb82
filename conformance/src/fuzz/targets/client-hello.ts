import assert from "node:assert/strict";
import { readClientHello } from "@fairlead/proxy-runtime/client-hello";
import { type FuzzTarget, hex, words } from "../fuzz-target.ts";

function hello(extensions: string): string {
  const body = `0303${"00".repeat(32)}00000213010100${uint16(extensions.length / 2)}${extensions}`;
  const message = `0100${uint16(body.length / 2)}${body}`;
  return `160301${uint16(message.length / 2)}${message}`;
}

function uint16(value: number): string {
  return value.toString(16).padStart(4, "0");
}

const serverName = "0000000e000c0000096c6f63616c686f7374";
const alpn = "0010000e000c02683208687474702f312e31";

export const clientHelloTarget: FuzzTarget = {
  name: "client-hello",
  sources: ["libs/proxy/runtime/src/client-hello.ts"],
  seeds: () => hex(hello(""), hello(serverName), hello(alpn + serverName)),
  dictionary: [...hex("160301", "1603030005", "0000", "0010", "ffff", "000000", serverName, alpn), ...words("h2", "GET / HTTP/1.1")],
  run(bytes) {
    const whole = readClientHello(bytes);
    // A beginning never says something else: it asks for more, or has seen it already.
    for (let length = 0; length < bytes.length; length += 1 + (length >> 3)) {
      const beginning = readClientHello(bytes.subarray(0, length));
      if (beginning !== "more") assert.deepEqual(beginning, whole, `with ${length} of ${bytes.length} bytes`);
    }
    return typeof whole === "string" ? whole : `${whole.serverName === ""} ${whole.alpn.length}`;
  },
}; // prettier-ignore
