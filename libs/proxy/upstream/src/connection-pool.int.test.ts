import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import {
  type ClientConnection,
  HeaderMap,
  type ResetReason,
  type ResponseHead,
  type StreamReceiver,
} from "@fairlead/proxy-stream";
import { until } from "@fairlead/testing-basics";
import { TimerWheel } from "@fairlead/timer-wheel";
import { clusterDefaults, type ClusterConfig } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";

class TestServer implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(onConnection: (socket: Socket) => void = () => {}): Promise<TestServer> {
    const server = createServer((socket) => {
      started.sockets.push(socket);
      socket.on("error", () => socket.destroy());
      onConnection(socket);
      socket.resume();
    });
    const started = new TestServer(server);
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return started;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function poolTo(port: number, config: Partial<ClusterConfig> = {}): { pool: ConnectionPool; stats: ClusterStats } {
  const stats = new ClusterStats();
  const wheel = new TimerWheel({ tickMs: 10 });
  return {
    pool: new ConnectionPool("127.0.0.1", port, { ...clusterDefaults, name: "c", ...config }, stats, wheel),
    stats,
  };
}

type Outcome = { readonly connection: ClientConnection } | { readonly reason: ResetReason; readonly details: string };

class Waiter implements PoolWaiter {
  readonly fresh: boolean;
  readonly outcome: Promise<Outcome>;
  settled = false;
  #settle: (outcome: Outcome) => void = () => {};

  constructor(fresh = false) {
    this.fresh = fresh;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  onConnection(connection: ClientConnection): void {
    this.settled = true;
    this.#settle({ connection });
  }

  onFailure(reason: ResetReason, details: string): void {
    this.settled = true;
    this.#settle({ reason, details });
  }
}

async function connectionOf(pool: ConnectionPool, fresh = false): Promise<ClientConnection> {
  const waiter = new Waiter(fresh);
  pool.acquire(waiter);
  const outcome = await waiter.outcome;
  assert("connection" in outcome, JSON.stringify(outcome));
  return outcome.connection;
}

function get(connection: ClientConnection): Promise<string> {
  return new Promise((resolve) => {
    const receiver: StreamReceiver<ResponseHead> = {
      onHead: (head, end) => end && resolve(String(head.status)),
      onData: (_chunk, end) => end && resolve("done"),
      onTrailers() {},
      onReset: (reason) => resolve(reason),
      onWriteBlocked() {},
      onWritable() {},
    };
    const sender = connection.openStream(receiver);
    sender.sendHead({ method: "GET", path: "/", authority: "a", scheme: "http", headers: new HeaderMap() }, true);
  });
}

function answer(socket: Socket): void {
  socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
}

test("the connection that was used last is used next; the rest age and close", async () => {
  await using server = await TestServer.start(answer);
  const { pool, stats } = poolTo(server.port, { idleTimeoutMs: 60 });
  const [one, two] = await Promise.all([connectionOf(pool), connectionOf(pool)]);
  await get(one);
  await get(two);
  assert.equal(pool.idleConnections, 2);
  for (let i = 0; i < 3; i++) {
    const again = await connectionOf(pool);
    assert.equal(again, two);
    await get(again);
  }
  await until("no connection is left", () => pool.connections === 0);
  assert.equal(stats.upstream_cx_idle_timeout, 2);
  assert.equal(stats.upstream_cx_active, 0);
});

test("a connection that the host closes when idle is not given out", async () => {
  await using server = await TestServer.start(answer);
  const { pool } = poolTo(server.port);
  await get(await connectionOf(pool));
  server.sockets[0]?.end();
  await until("no connection is left", () => pool.connections === 0);
  const next = await connectionOf(pool);
  assert.equal(next.streamsOpened, 0);
  pool.destroy();
});

test("a waiter that asks for a fresh connection does not get an idle or a freed one", async () => {
  await using server = await TestServer.start(answer);
  const { pool } = poolTo(server.port);
  const first = await connectionOf(pool);
  const served = get(first);
  const fresh = connectionOf(pool, true);
  await served;
  assert.notEqual(await fresh, first);
  assert.notEqual(await connectionOf(pool, true), first);
  pool.destroy();
});

test("a host has no more connections than it may have, whatever the cluster may", async () => {
  await using server = await TestServer.start();
  const limits = {
    maxConnections: 10,
    maxConnectionsPerHost: 2,
    maxPendingRequests: 9,
    maxRequests: 10,
    maxRetries: 3,
  };
  const { pool, stats } = poolTo(server.port, { circuitBreakers: limits });
  const waiters = [new Waiter(), new Waiter(), new Waiter()];
  for (const waiter of waiters) pool.acquire(waiter);
  await Promise.all([waiters[0]?.outcome, waiters[1]?.outcome]);
  assert.equal(pool.connections, 2);
  assert.equal(stats.upstream_cx_overflow, 1);
  assert.equal(stats.upstream_rq_pending_active, 1);
  pool.destroy();
});

test("beyond max_connections requests wait for a freed connection, in their order; beyond max_pending they fail", async () => {
  await using server = await TestServer.start(answer);
  const limits = { maxConnections: 1, maxPendingRequests: 2, maxRequests: 10, maxRetries: 3 };
  const { pool, stats } = poolTo(server.port, { circuitBreakers: limits });
  const only = await connectionOf(pool);
  const waiters = [new Waiter(), new Waiter(), new Waiter()];
  for (const waiter of waiters) pool.acquire(waiter);
  assert.deepEqual(await waiters[2]?.outcome, { reason: "overflow", details: "" });
  assert.equal(stats.upstream_rq_pending_overflow, 1);
  await get(only);
  assert.deepEqual(
    waiters.map((waiter) => waiter.settled),
    [true, false, true],
  );
  await get(only);
  assert.equal(waiters[1]?.settled, true);
  assert.equal(server.sockets.length, 1);
  assert.equal(stats.upstream_rq_pending_active, 0);
  pool.destroy();
});

test("a cancelled waiter gets nothing; the connection made for it becomes idle", async () => {
  await using server = await TestServer.start(answer);
  const { pool, stats } = poolTo(server.port);
  const waiter = new Waiter();
  pool.acquire(waiter);
  pool.cancel(waiter);
  await until("one connection is idle", () => pool.idleConnections === 1);
  assert.equal(waiter.settled, false);
  assert.equal(stats.upstream_rq_pending_active, 0);
  pool.destroy();
});

test("a host that cannot be reached fails each waiter once, with what the system said", async () => {
  let port = 0;
  {
    await using server = await TestServer.start();
    ({ port } = server);
  }
  const { pool, stats } = poolTo(port);
  const waiters = Array.from({ length: 5 }, () => new Waiter());
  for (const waiter of waiters) pool.acquire(waiter);
  for (const waiter of waiters) {
    assert.deepEqual(await waiter.outcome, {
      reason: "remote connection failure",
      details: "delayed connect error: Connection refused",
    });
  }
  assert.equal(stats.upstream_cx_connect_fail, 5);
  assert.equal(stats.upstream_cx_active, 0);
});

test("a drained pool closes what is idle, lets what is busy end, and still serves who chose it before", async () => {
  await using server = await TestServer.start(answer);
  const { pool, stats } = poolTo(server.port);
  const [idle, busy] = await Promise.all([connectionOf(pool), connectionOf(pool)]);
  await get(idle);
  pool.drain();
  assert.equal(pool.idleConnections, 0);
  assert.equal(await get(busy), "204");
  assert.equal(await get(await connectionOf(pool)), "204");
  await until("no connection is active", () => stats.upstream_cx_active === 0);
});

test("a destroyed pool fails those that wait and connects no more", async () => {
  await using server = await TestServer.start(answer);
  const { pool } = poolTo(server.port);
  const waiters = [new Waiter(), new Waiter()];
  for (const waiter of waiters) pool.acquire(waiter);
  pool.destroy();
  for (const waiter of waiters)
    assert.deepEqual(await waiter.outcome, { reason: "local reset", details: "the cluster is closed" });
  await until("no connection is left", () => pool.connections === 0);
});

test("a connection ends after max_requests_per_connection", async () => {
  await using server = await TestServer.start(answer);
  const { pool } = poolTo(server.port, { maxRequestsPerConnection: 2 });
  for (let i = 0; i < 4; i++) await get(await connectionOf(pool));
  assert.equal(server.sockets.length, 2);
  pool.destroy();
});
