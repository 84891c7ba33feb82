import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2ResponseHead } from "./message-head.ts";
import { clientEnd, output, Recorder, serverEnd, settle } from "./testing/ends.ts";

const line = { method: "POST", path: "/", authority: "a", scheme: "http" };

test("short chunks that had to wait for a window go out in few frames, in order", () => {
  const { client } = clientEnd();
  const it = serverEnd({ streamWindowBytes: 65_535, connectionWindowBytes: 65_535 });
  settle(client, it.server);
  const stream = client.openStream(new Recorder<Http2ResponseHead>());
  client.sendHead(stream, line, [], undefined, false);
  client.sendData(stream, Buffer.alloc(65_535, "-"), false);
  let expected = "-".repeat(65_535);
  for (let i = 0; i < 10_000; i++) {
    const text = String(i % 10);
    client.sendData(stream, Buffer.from(text), i === 9999);
    expected += text;
  }
  it.server.receive(output(client));
  client.receive(output(it.server));
  const second = output(client);
  assert(second.length < 10_000 + 10 * 9, `${second.length} bytes for a body of 10,000`);
  it.server.receive(second);
  settle(client, it.server);
  assert.equal(it.recorders[0]!.body, expected);
  assert.equal(it.recorders[0]!.told.at(-1), "end");
});
