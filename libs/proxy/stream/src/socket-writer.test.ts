import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { SocketWriter } from "./socket-writer.ts";

test("very many small parts are few writes, in order, between large ones", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  const client = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  const [peer] = (await once(server, "connection")) as [Socket];
  t.after(() => peer.destroy());

  const writes = t.mock.method(client, "write");
  const writer = new SocketWriter(client, { onWriteBlocked() {}, onWritable() {} });
  const large = Buffer.alloc(40_000, "L");
  const expected: Buffer[] = [];
  for (let i = 0; i < 20_000; i++) {
    const part = i === 7000 ? large : i % 2 === 0 ? `${i.toString(16)}\r\n` : Buffer.from([i & 255]);
    writer.write(part);
    expected.push(Buffer.from(part as string, "latin1"));
  }
  writer.flush();
  assert(writes.mock.callCount() < 20, `${writes.mock.callCount()} writes`);
  client.end();
  const received: Buffer[] = [];
  for await (const chunk of peer as AsyncIterable<Buffer>) received.push(chunk);
  assert(Buffer.concat(received).equals(Buffer.concat(expected)));
});

test("memory that waits in the system is not written over by what comes after it", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  const peers: Socket[] = [];
  const pairs: { readonly writer: SocketWriter; readonly peer: Socket; readonly client: Socket }[] = [];
  for (let i = 0; i < 4; i++) {
    const client = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
    const [peer] = (await once(server, "connection")) as [Socket];
    peers.push(peer.pause());
    pairs.push({ writer: new SocketWriter(client, { onWriteBlocked() {}, onWritable() {} }), peer, client });
  }
  t.after(() => {
    for (const peer of peers) peer.destroy();
  });
  // Two parts a message, until each connection has much that its peer does not read, and some more for the memory to be used again.
  const expected = pairs.map(() => [] as Buffer[]);
  for (let n = 0; n < 1000; n++) {
    for (const [i, { writer }] of pairs.entries()) {
      const message = Buffer.alloc(14_000, n * 4 + i);
      writer.write(`${n} `);
      writer.write(message);
      writer.flush();
      expected[i]!.push(Buffer.from(`${n} `), message);
    }
  }
  assert(pairs.every(({ writer }) => writer.unsentBytes > 1024 * 1024));
  for (const [i, { peer, client }] of pairs.entries()) {
    client.end();
    const received: Buffer[] = [];
    for await (const chunk of peer as AsyncIterable<Buffer>) received.push(chunk);
    assert(Buffer.concat(received).equals(Buffer.concat(expected[i]!)), `connection ${i}`);
  }
});
