import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { TestProxy } from "../testing/proxy.ts";
import { FRAME, greeting, RawHttp2Client, request } from "../testing/raw-http2.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type Init = NonNullable<Parameters<typeof listener>[2]>;

const good = [":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"];
const PROTOCOL_ERROR = 1;

const whoEnds: readonly (readonly [Init, "stream" | "connection"])[] = [
  [{}, "stream"],
  [{ streamErrorOnInvalidHttpMessage: true }, "stream"],
  [{ streamErrorOnInvalidHttpMessage: false }, "connection"],
  [{ http2ProtocolOptions: { streamErrorOnInvalidHttpMessaging: true } }, "stream"],
  [{ http2ProtocolOptions: { overrideStreamErrorOnInvalidHttpMessage: false } }, "connection"],
  [
    {
      streamErrorOnInvalidHttpMessage: false,
      http2ProtocolOptions: { overrideStreamErrorOnInvalidHttpMessage: true },
    },
    "stream",
  ],
];

test("a malformed HTTP/2 message costs its stream, or its connection where that is wanted", async () => {
  await using backend = await Backend.named("b");
  for (const [init, ends] of whoEnds) {
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, init)],
      routes: [routes("in", toCluster("*", "a"))],
    });
    using client = new RawHttp2Client(proxy.port("in"));
    client.send(Buffer.concat([greeting, request(1, [...good, "connection", "close"])]));
    if (ends === "stream") {
      await until("the stream is reset", () => client.endOf(1) === PROTOCOL_ERROR);
      client.send(request(3, good));
      await until("the next request is served", () => client.endOf(3) === "response");
      assert(!client.frames.some(({ type }) => type === FRAME.goAway));
    } else {
      await until("the connection is closed", () => client.closed);
      const goAway = client.frames.find(({ type }) => type === FRAME.goAway);
      assert.equal(goAway?.payload.readUInt32BE(4), PROTOCOL_ERROR);
    }
  }
});
