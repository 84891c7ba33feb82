import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { ProbeResult } from "./probe.ts";
import { TcpProbe } from "./tcp-probe.ts";

/** What a probe finds with a host that sends this, each piece on its own. */
async function probe(receive: readonly string[], pieces: readonly string[]): Promise<ProbeResult> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    const send = (i: number): void => {
      if (i < pieces.length) socket.write(pieces[i]!, () => setImmediate(() => send(i + 1)));
      else socket.end();
    };
    send(0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    return await new Promise((resolve) => {
      const parts = receive.map((part) => Buffer.from(part));
      return new TcpProbe({ address: "127.0.0.1", port }, { send: Buffer.alloc(0), receive: parts }, resolve);
    });
  } finally {
    server.close();
  }
}

test("what is looked for is found in its order, wherever the bytes are cut", async () => {
  assert.equal(await probe(["ready", "go"], ["not r", "eaready", "-", "g", "o!"]), "pass");
  assert.equal(await probe(["aab"], ["a", "a", "a", "b"]), "pass");
  assert.equal(await probe(["go", "ready"], ["ready", "go"]), "network failure");
  assert.equal(await probe(["go"], []), "network failure");
});

test("a host that sends much more is not one that was meant", async () => {
  assert.equal(
    await probe(
      ["never"],
      Array.from({ length: 80 }, () => "x".repeat(1024)),
    ),
    "bad answer",
  );
});
