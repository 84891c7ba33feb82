import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Backend } from "../testing/backend.ts";
import { plainWorld } from "../testing/plain-world.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener } from "../testing/resources.ts";
import { checkAddress } from "./address-check.ts";

const CALLERS = 20;

/** Connections that are in the queue of the listening socket when it returns: nothing was accepted in between. */
async function callersInQueue(port: number): Promise<readonly Promise<string>[]> {
  const sockets = Array.from({ length: CALLERS }, () => connect(port, "127.0.0.1"));
  await new Promise((resolve) => process.nextTick(resolve));
  return sockets.map((socket) => {
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    return text(socket);
  });
}

for (const [what, stop] of [
  ["removed", (proxy: TestProxy) => proxy.apply({ listeners: [] })],
  ["given another address", (proxy: TestProxy) => proxy.apply({ listeners: [listener("in", checkAddress("127.0.0.1", 0))] })], // prettier-ignore
  ["drained", (proxy: TestProxy) => proxy.runtime.drain()],
] as const)
  test(`callers in the queue of a listener that is ${what} are served, and not reset`, async () => {
    await using backend = await Backend.named("a");
    await using proxy = await TestProxy.start(plainWorld(backend.port));
    const callers = await callersInQueue(proxy.port("in"));
    await stop(proxy);
    const statuses = (await Promise.all(callers)).map((answer) => answer.split(" ", 2)[1]);
    assert.deepEqual(
      statuses,
      Array.from({ length: CALLERS }, () => "200"),
    );
  });
