import assert from "node:assert/strict";
import { tracingChannel } from "node:diagnostics_channel";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { portOf } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";
import { checkAddress } from "./address-check.ts";

/** Who comes to a socket that listens and is closed is reset, so that none may listen but those who serve. */
function watchListening(): { readonly begun: number; [Symbol.dispose](): void } {
  const channel = tracingChannel("net.server.listen");
  let begun = 0;
  const note = (): void => void begun++;
  channel.asyncStart.subscribe(note);
  return {
    get begun() {
      return begun;
    },
    [Symbol.dispose]() {
      channel.asyncStart.unsubscribe(note);
    },
  };
}

async function listening(options: { reusePort?: boolean; port?: number } = {}): Promise<Server & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0, ...options }, resolve));
  return server;
}

test("an address that another listens on is told from a free one", async () => {
  let free: number;
  {
    await using alone = await listening();
    await using sharing = await listening({ reusePort: true });
    assert.throws(() => checkAddress("127.0.0.1", portOf(alone)), { code: "EADDRINUSE" });
    assert.throws(() => checkAddress("127.0.0.1", portOf(alone), true), { code: "EADDRINUSE" });
    assert.throws(() => checkAddress("127.0.0.1", portOf(sharing)), { code: "EADDRINUSE" });
    assert.equal(checkAddress("127.0.0.1", portOf(sharing), true), portOf(sharing), "one that is shared");
    free = portOf(alone);
  }
  assert.equal(checkAddress("127.0.0.1", free), free);
  assert.throws(() => checkAddress("192.0.2.1", free), { code: "EADDRNOTAVAIL" });
});

test("the thread that accepts nothing never listens, not even to check an address", async () => {
  await using backend = await Backend.named("a");
  using watch = watchListening();
  await using proxy = await ProxyInThreads.start({
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  assert.equal(watch.begun, 0);
  assert.equal((await call(proxy.port("in"))).status, 200);
});

test("a listener that waits for its routes does not listen; an address that is taken is told at once", async () => {
  await using taken = await listening();
  const port = checkAddress("127.0.0.1", 0);
  using watch = watchListening();
  await using proxy = await TestProxy.start({});
  const rejections = await proxy.apply({ listeners: [listener("in", port), listener("other", portOf(taken))] });
  assert.deepEqual(rejections.map(({ name }) => name), ["other"]); // prettier-ignore
  assert.equal(watch.begun, 0);
  await proxy.apply({ routes: [routes("in")] });
  assert.equal(watch.begun, 1);
});
