import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { listen } from "@fairlead/testing-basics";

/** A connection's both ends, for as long as the test runs. */
export async function socketPair(t: TestContext): Promise<{ readonly ours: Socket; readonly peer: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  const peer = connect(await listen(server), "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    ours.destroy();
    peer.destroy();
    server.close();
  });
  peer.on("error", () => undefined);
  return { ours, peer };
}

/** Asks after each turn of the event loop: hundreds of waits for bytes of this process take no time. */
export async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
