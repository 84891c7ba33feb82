import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";
import { startTestZooKeeper } from "@fairlead/testing-servers";
import { providerNode, ZooKeeperProvider } from "./zookeeper-provider.ts";

interface Reader extends NodeJS.EventEmitter {
  connect(): void;
  close(): void;
  getChildren(path: string, watcher: () => void, callback: (error: Error | null, names: string[]) => void): void;
}
const library = createRequire(import.meta.url)("node-zookeeper-client") as { createClient(servers: string): Reader };

const provider = { interface: "shop.Prices", methods: ["priceOf"], host: "127.0.0.1", port: 20880, application: "p" };
const folder = "/dubbo/shop.Prices/providers";

/** @returns what is there now, and what settles at the next change */
async function watched(reader: Reader): Promise<{ readonly names: string[]; readonly change: Promise<void> }> {
  const change = Promise.withResolvers<void>();
  const names = await new Promise<string[]>((resolve, reject) => {
    reader.getChildren(folder, change.resolve, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
  return { names, change: change.promise };
}

test("a provider is in ZooKeeper until it closes, also when it registers for the first time anywhere", async (t) => {
  const server = await startTestZooKeeper();
  t.after(async () => await server.stop());
  const reader = library.createClient(server.address);
  t.after(() => reader.close());
  const connected = once(reader, "connected");
  reader.connect();
  await connected;
  const registered = new ZooKeeperProvider(server.address, provider);
  await registered.register();
  const { names, change } = await watched(reader);
  assert.deepEqual(names, [providerNode(provider).slice(folder.length + 1)]);
  registered.close();
  await change;
  assert.deepEqual((await watched(reader)).names, []);
});
