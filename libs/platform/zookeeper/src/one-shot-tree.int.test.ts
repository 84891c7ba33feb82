import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTestZooKeeper, type TestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "./index.ts";

const logger = createLogger({ service: "test", level: "silent" });
/** The server starts again, or a session expires. */
const afterLossMs = 20_000;
const empty = Buffer.alloc(0);
const shape = { levels: 3, data: (path: string) => path.endsWith(".rule") };

describe("a tree that is watched node by node", () => {
  let server: TestZooKeeper;
  before(async () => (server = await startTestZooKeeper()));
  after(async () => await server.stop());

  async function client(recursiveWatches: boolean) {
    const told: string[] = [];
    let connections = 0;
    const zookeeper = new ZooKeeperClient(
      { servers: server.address, logger, sessionTimeoutMs: 10_000, recursiveWatches },
      {
        onConnected: () => connections++,
        onSuspended: () => undefined,
        onChange: (type, path) => told.push(`${type} ${path}`),
      },
    );
    zookeeper.start();
    await until("connected", () => connections === 1);
    return { zookeeper, told, connectedAgain: () => until("connected again", () => connections === 2, afterLossMs) };
  }

  test("tells what a recursive watch tells of what comes, changes and goes, also of a root that is made later", async () => {
    const watcher = await client(false);
    const { zookeeper: app } = await client(true);
    const since = async (what: string) => {
      await until(what, () => watcher.told.includes(what));
      return watcher.told.splice(0).toSorted();
    };
    await watcher.zookeeper.watch("/tree", shape);
    await app.ensure("/tree/a/providers");
    await since("created /tree/a/providers");
    await app.create("/tree/a/providers/1", empty, { ephemeral: true });
    await app.create("/tree/a/providers/2", empty, { ephemeral: true });
    await until("both", () => watcher.told.length === 2);
    assert.deepEqual(await since("created /tree/a/providers/2"), [
      "created /tree/a/providers/1",
      "created /tree/a/providers/2",
    ]);
    await app.create("/tree/x.rule", Buffer.from("1"), { ephemeral: false });
    await since("created /tree/x.rule");
    for (const text of ["2", "3"]) {
      await app.write("/tree/x.rule", Buffer.from(text));
      assert.deepEqual(await since("data /tree/x.rule"), ["data /tree/x.rule"]);
    }
    await app.close();
    await until("both are gone", () => watcher.told.length === 2);
    assert(watcher.told.every((what) => what.startsWith("deleted /tree/a/providers/")));
    await watcher.zookeeper.close();
  });

  test("18,000 nodes with a watch each outlive a reconnect", async () => {
    const watcher = await client(false);
    const { zookeeper: app, connectedAgain } = await client(true);
    await app.ensure("/many");
    const names = Array.from({ length: 18_000 }, (_, i) => `/many/org.example.some.long.name.of.a.package.Service${i}`);
    await Promise.all(names.map((name) => app.create(name, empty, { ephemeral: false })));
    await watcher.zookeeper.watch("/many", { levels: 2, data: () => false });
    await server.kill();
    await server.restart();
    await watcher.connectedAgain();
    await watcher.zookeeper.watch("/many", { levels: 2, data: () => false });
    await connectedAgain();
    await app.create(`${names[17_999]}/1`, empty, { ephemeral: false });
    await until("it is told", () => watcher.told.includes(`created ${names[17_999]}/1`));
    assert.equal(watcher.zookeeper.state, "connected");
    await Promise.all([app.close(), watcher.zookeeper.close()]);
  });
});
