import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

/** A connection's both ends, for as long as the test runs. */
export async function socketPair(t: TestContext): Promise<{ readonly ours: Socket; readonly peer: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const peer = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    ours.destroy();
    peer.destroy();
    server.close();
  });
  peer.on("error", () => undefined);
  return { ours, peer };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
