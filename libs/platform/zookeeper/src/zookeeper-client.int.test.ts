import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTestZooKeeper, type TestZooKeeper } from "@fairlead/testing-servers";
import { isRefusal, ZooKeeperClient } from "./index.ts";
import { startTcpRelay } from "./testing/tcp-relay.ts";

const logger = createLogger({ service: "test", level: "silent" });
/** The server starts again, or a session expires. */
const afterLossMs = 20_000;
const empty = Buffer.alloc(0);
const shape = { levels: 2, data: () => false };

/** A client that writes down what it is told. */
function client(servers: string, options: { sessionTimeoutMs?: number; digest?: string } = {}) {
  const told: string[] = [];
  const zookeeper = new ZooKeeperClient(
    { servers, logger, sessionTimeoutMs: 2_000, connectTimeoutMs: 1_000, ...options },
    {
      onConnected: (newSession) => told.push(newSession ? "connected, new session" : "connected"),
      onSuspended: () => told.push("suspended"),
      onChange: (type, path) => told.push(`${type} ${path}`),
    },
  );
  zookeeper.start();
  return { zookeeper, told, has: (what: string) => until(what, () => told.includes(what)) };
}

describe("ZooKeeper client", () => {
  let server: TestZooKeeper;
  before(async () => (server = await startTestZooKeeper()));
  after(async () => await server.stop());

  test("nodes are made, read, listed, written and deleted; refusals have a reason", async () => {
    const { zookeeper, has } = client(server.address);
    await has("connected, new session");
    await zookeeper.ensure("/a/b/c");
    await zookeeper.create("/a/b/c/d", Buffer.from("x"), { ephemeral: true });
    const read = await zookeeper.read("/a/b/c/d");
    assert.equal(read?.data.toString(), "x");
    assert.equal(read.stat.ephemeralOwner, zookeeper.sessionId);
    assert.deepEqual(await zookeeper.children("/a/b"), ["c"]);
    assert.equal((await zookeeper.stat("/a/b/c"))?.childCount, 1);
    await zookeeper.write("/a/b", Buffer.from("1"), 0);
    await assert.rejects(zookeeper.write("/a/b", Buffer.from("2"), 0), (error) => isRefusal(error, "bad-version"));
    await assert.rejects(zookeeper.create("/a/b", empty, { ephemeral: false }), (error) =>
      isRefusal(error, "node-exists"),
    );
    await assert.rejects(zookeeper.create("/no/parent", empty, { ephemeral: false }), (error) =>
      isRefusal(error, "no-node"),
    );
    await assert.rejects(zookeeper.delete("/a/b"), (error) => isRefusal(error, "not-empty"));
    assert.deepEqual(
      [await zookeeper.read("/none"), await zookeeper.children("/none"), await zookeeper.stat("/none")],
      [undefined, undefined, undefined],
    );
    // The server would end the connection: what is too long is not sent.
    const long = Buffer.alloc(1024 * 1024);
    await assert.rejects(zookeeper.write("/a/b", long), (error) => isRefusal(error, "too-large"));
    assert.equal(zookeeper.state, "connected");
    assert.equal((await zookeeper.read("/a/b"))?.data.toString(), "1");
    await zookeeper.close();
  });

  for (const many of [true, false]) {
    test(`the children of many nodes are listed ${many ? "together" : "one by one"}; one that is refused takes no other with it`, async () => {
      const root = `/lists-${many}`;
      const owner = client(server.address, { digest: "owner:secret" });
      const reader = client(server.address);
      await Promise.all([owner.has("connected, new session"), reader.has("connected, new session")]);
      const paths = Array.from({ length: 70 }, (_, index) => `${root}/${index}`);
      await Promise.all(paths.map((path, index) => reader.zookeeper.ensure(`${path}/child-of-${index}`)));
      await owner.zookeeper.create(`${root}/hidden`, empty, { ephemeral: false });
      if (many) await reader.zookeeper.watch(root, shape);
      const found = await reader.zookeeper.childrenOfAll([...paths, `${root}/none`, `${root}/hidden`, root]);
      assert.equal(found.size, 73);
      for (const [index, path] of paths.entries()) assert.deepEqual(found.get(path), [`child-of-${index}`]);
      assert.equal(found.get(`${root}/none`), undefined);
      assert(isRefusal(found.get(`${root}/hidden`), "no-auth"));
      const all = found.get(root);
      assert(Array.isArray(all) && all.length === 71);
      assert.deepEqual(await reader.zookeeper.childrenOfAll([]), new Map());
      await Promise.all([owner.zookeeper.close(), reader.zookeeper.close()]);
    });
  }

  test("a closed client's ephemeral nodes are gone at once, and others are told", async () => {
    const watcher = client(server.address);
    const owner = client(server.address);
    await Promise.all([watcher.has("connected, new session"), owner.has("connected, new session")]);
    await watcher.zookeeper.watch("/services", shape);
    await owner.zookeeper.ensure("/services/x");
    await owner.zookeeper.create("/services/x/1", empty, { ephemeral: true });
    await owner.zookeeper.close();
    await watcher.has("deleted /services/x/1");
    assert.deepEqual(
      watcher.told.filter((what) => what.startsWith("created")),
      ["created /services", "created /services/x", "created /services/x/1"],
    );
    await watcher.zookeeper.close();
  });

  test("a path behind the servers is the root, in operations and in what is told", async () => {
    const plain = client(server.address);
    await plain.has("connected, new session");
    await plain.zookeeper.ensure("/tenant");
    const below = client(`${server.address}/tenant`);
    await below.has("connected, new session");
    await below.zookeeper.watch("/", shape);
    await below.zookeeper.ensure("/inner");
    await below.has("created /inner");
    assert.deepEqual(await plain.zookeeper.children("/tenant"), ["inner"]);
    await Promise.all([plain.zookeeper.close(), below.zookeeper.close()]);
  });

  test("a node made with credentials is changed only with them", async () => {
    const owner = client(server.address, { digest: "mesh:secret" });
    const other = client(server.address);
    await Promise.all([owner.has("connected, new session"), other.has("connected, new session")]);
    await owner.zookeeper.create("/mine", empty, { ephemeral: true });
    await assert.rejects(other.zookeeper.write("/mine", empty), (error) => isRefusal(error, "no-auth"));
    await owner.zookeeper.write("/mine", Buffer.from("1"));
    await Promise.all([owner.zookeeper.close(), other.zookeeper.close()]);
  });

  test("a server that is killed and comes back: same session, same nodes, watches go on", async () => {
    const { zookeeper, told, has } = client(server.address, { sessionTimeoutMs: 10_000 });
    await has("connected, new session");
    const session = zookeeper.sessionId;
    await zookeeper.ensure("/kept");
    await zookeeper.create("/kept/1", empty, { ephemeral: true });
    await zookeeper.watch("/kept", shape);
    await server.kill();
    await has("suspended");
    await assert.rejects(zookeeper.children("/kept"), { code: "FL_ZOOKEEPER_UNAVAILABLE" });
    await server.restart();
    await has("connected");
    assert.equal(zookeeper.sessionId, session);
    assert.deepEqual(await zookeeper.children("/kept"), ["1"]);
    told.length = 0;
    await zookeeper.create("/kept/2", empty, { ephemeral: true });
    await has("created /kept/2");
    await zookeeper.close();
  });

  test("a server that stops answering is noticed within the session's time", async () => {
    const { zookeeper, told, has } = client(server.address);
    await has("connected, new session");
    server.pause();
    const since = performance.now();
    const unanswered = zookeeper.children("/");
    await assert.rejects(unanswered, { code: "FL_ZOOKEEPER_UNAVAILABLE" });
    assert(performance.now() - since < 2_000, "noticed after the session's time");
    assert.deepEqual(told, ["connected, new session", "suspended"]);
    server.resume();
    await until("connected again", () => zookeeper.state === "connected", afterLossMs);
    await zookeeper.close();
  });

  test("a network that is cut for longer than the session: a new session, and the old one's nodes are gone", async () => {
    const relay = await startTcpRelay(server.port);
    const { zookeeper, told, has } = client(relay.address);
    const witness = client(server.address);
    await Promise.all([has("connected, new session"), witness.has("connected, new session")]);
    const session = zookeeper.sessionId;
    await zookeeper.create("/mortal", empty, { ephemeral: true });
    relay.cut();
    await until(
      "the server has ended the session",
      async () => (await witness.zookeeper.stat("/mortal")) === undefined,
      afterLossMs,
    );
    relay.reset();
    relay.restore();
    await until(
      "a new session",
      () => told.filter((what) => what === "connected, new session").length === 2,
      afterLossMs,
    );
    assert.notEqual(zookeeper.sessionId, session);
    await Promise.all([zookeeper.close(), witness.zookeeper.close()]);
    await relay.stop();
  });

  test("18,000 watched nodes and a lost connection: one watch, one reconnect", async () => {
    const relay = await startTcpRelay(server.port);
    const { zookeeper, told, has } = client(relay.address, { sessionTimeoutMs: 10_000 });
    await has("connected, new session");
    await zookeeper.ensure("/many");
    const name = (i: number) => `/many/org.example.some.package.Service${i}`;
    await Promise.all(Array.from({ length: 18_000 }, (_, i) => zookeeper.create(name(i), empty, { ephemeral: false })));
    await zookeeper.watch("/many", shape);
    told.length = 0;
    relay.reset();
    await has("connected");
    assert.equal((await zookeeper.children("/many"))?.length, 18_000);
    await zookeeper.write(name(17_999), Buffer.from("1"));
    await has(`data ${name(17_999)}`);
    assert.deepEqual(told.slice(0, 2), ["suspended", "connected"]);
    assert.equal(told.length, 3);
    await zookeeper.close();
    await relay.stop();
  });

  test("a server that has lost its data: a new session begins there once the old one is over", async () => {
    const { zookeeper, told } = client(server.address, { sessionTimeoutMs: 1_000 });
    await until("connected", () => told.length === 1);
    await zookeeper.ensure("/before");
    await server.restart({ wipe: true });
    await until(
      "a new session",
      () => told.filter((what) => what === "connected, new session").length === 2,
      afterLossMs,
    );
    assert.equal(await zookeeper.stat("/before"), undefined);
    await zookeeper.close();
  });

  test("what does not speak ZooKeeper's protocol is an unavailable server, not a crash", async () => {
    const http = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    let attempts = 0;
    http.on("connection", () => attempts++);
    await once(http, "listening");
    const address = http.address();
    assert(address !== null && typeof address === "object");
    const { zookeeper, told } = client(`127.0.0.1:${address.port}`);
    await assert.rejects(zookeeper.children("/"), { code: "FL_ZOOKEEPER_UNAVAILABLE" });
    await until("it has been tried again", () => attempts >= 2);
    assert.deepEqual([zookeeper.state, told], ["connecting", []]);
    await zookeeper.close();
    http.close();
  });

  test("a server that ends each connection at once is not asked again without a pause", async () => {
    const relay = await startTcpRelay(server.port);
    const { zookeeper, told, has } = client(relay.address);
    await has("connected, new session");
    let connections = 0;
    const began = performance.now();
    while (performance.now() - began < 1_000) {
      if (zookeeper.state === "connected") {
        connections++;
        relay.reset();
        await until("noticed", () => zookeeper.state !== "connected");
      }
      await pause(1);
    }
    await zookeeper.close();
    await relay.stop();
    assert(connections < 8, `${connections} connections in a second`);
    assert(told.includes("suspended"));
  });
});
