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
