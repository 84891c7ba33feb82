import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import * as fc from "fast-check";
import { readClientHello } from "./client-hello.ts";

/** What Node's own TLS sends first. */
async function nodesHello(): Promise<Buffer> {
  return await new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once("data", (bytes: Buffer) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("not bound");
      const client = connect({ port: address.port, servername: "Shop.example", ALPNProtocols: ["h2", "http/1.1"] });
      client.on("error", () => undefined);
    });
  });
}

/** The same message in records of so many bytes. */
function inRecords(hello: Buffer, bytes: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += bytes) {
    const part = message.subarray(at, at + bytes);
    records.push(Buffer.of(0x16, 3, 1, part.length >> 8, part.length & 0xff), part);
  }
  return Buffer.concat(records);
}

const hello = await nodesHello();
const expected = { serverName: "shop.example", alpn: ["h2", "http/1.1"] };

test("a server name and protocols are read, in one record or in many", () => {
  for (const bytes of [1, 3, 4, 5, 100, hello.length]) {
    const records = inRecords(hello, bytes);
    assert.deepEqual(readClientHello(records), expected);
    assert.equal(readClientHello(records.subarray(0, -1)), "more");
  }
});

test("what follows it in the same read is not looked at: early data, or a change of ciphers", () => {
  for (const more of ["1403030001", "1703030005", "16", "00"]) {
    assert.deepEqual(readClientHello(Buffer.concat([hello, Buffer.from(more, "hex"), Buffer.alloc(20_000)])), expected);
  }
});

test("a message that is too long, records without content and other messages are refused", () => {
  assert.equal(readClientHello(Buffer.from("1603010100010010000303", "hex")), "more");
  assert.equal(readClientHello(Buffer.from("1603010100010040000303", "hex")), "invalid");
  assert.equal(readClientHello(Buffer.from("1603010000160301000401000000", "hex")), "invalid");
  assert.equal(readClientHello(Buffer.from("16030100040e000000", "hex")), "invalid");
});

test("any beginning asks for more or says what the whole says; bytes of any kind never throw", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (changes, cut) => {
      const bytes = Buffer.from(hello);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      const beginning = readClientHello(bytes.subarray(0, cut % bytes.length));
      if (beginning !== "more") assert.deepEqual(beginning, readClientHello(bytes));
    }),
    { numRuns: 2000 },
  );
});
