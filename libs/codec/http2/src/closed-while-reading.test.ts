import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultAbuseLimits } from "./abuse-guard.ts";
import { connectionDefaults } from "./connection-options.ts";
import { Http2Stats } from "./http2-stats.ts";
import { Http2ServerConnection } from "./server-connection.ts";
import { clientEnd, output, Recorder } from "./testing/ends.ts";

const line = { method: "GET", path: "/", authority: "a", scheme: "http" };

for (const how of ["close", "end"] as const) {
  test(`a connection that is told to ${how} by what it tells reads nothing of the rest that came with it`, () => {
    const { client } = clientEnd();
    let streams = 0;
    const server: Http2ServerConnection = new Http2ServerConnection(
      {
        onStream() {
          streams++;
          const recorder = new Recorder();
          return Object.assign(recorder, { onHead: () => (how === "close" ? server.close() : server.end(0, "")) });
        },
        onRefused: () => undefined,
      },
      {
        ...connectionDefaults,
        abuse: defaultAbuseLimits,
        stats: new Http2Stats(),
        now: () => 0,
        onOutput: () => undefined,
      },
    );
    server.receive(output(client));
    client.receive(output(server));
    server.receive(output(client));
    for (let i = 0; i < 3; i++) {
      client.sendHead(client.openStream(new Recorder()), line, [], undefined, true);
    }
    server.receive(output(client));
    assert.equal(streams, 1);
  });
}
