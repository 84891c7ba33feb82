import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { TestProxy } from "../testing/proxy.ts";
import { FRAME, greeting, RawHttp2Client } from "../testing/raw-http2.ts";
import { listener, routes } from "../testing/resources.ts";

const HEADER_TABLE_SIZE = 1;

test("hpack_table_size is what clients are told; without it they go by the default", async () => {
  for (const [hpackTableSize, told] of [
    [undefined, undefined],
    [0, 0],
    [65_536, 65_536],
  ] as const) {
    const http2ProtocolOptions = hpackTableSize === undefined ? {} : { hpackTableSize };
    await using proxy = await TestProxy.start({
      listeners: [listener("in", 0, { http2ProtocolOptions })],
      routes: [routes("in")],
    });
    using client = new RawHttp2Client(proxy.port("in"));
    client.send(greeting);
    await until("its settings", () => client.frames.some(({ type }) => type === FRAME.settings));
    const payload = client.frames.find(({ type }) => type === FRAME.settings)?.payload ?? Buffer.alloc(0);
    const settings = new Map<number, number>();
    for (let at = 0; at < payload.length; at += 6) settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    assert.equal(settings.get(HEADER_TABLE_SIZE), told);
  }
});
