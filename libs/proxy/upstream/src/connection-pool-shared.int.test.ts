import assert from "node:assert/strict";
import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import { test } from "node:test";
import {
  type ClientConnection,
  HeaderMap,
  type RequestHead,
  type ResetReason,
  type StreamSender,
} from "@fairlead/proxy-stream";
import { until } from "@fairlead/testing-basics";
import { TimerWheel } from "@fairlead/timer-wheel";
import { type ClusterConfig, clusterDefaults } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";

/** node:http2 that holds its answers until it is told. */
class HoldingServer implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  readonly held: ServerHttp2Stream[] = [];
  readonly #server: Http2Server;

  private constructor(server: Http2Server) {
    this.#server = server;
  }

  static async start(settings: Settings = {}): Promise<HoldingServer> {
    const server = createServer({ settings });
    const it = new HoldingServer(server);
    server.on("session", (session) => {
      it.sessions.push(session);
      session.on("error", () => undefined);
    });
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.on("error", () => undefined);
      it.held.push(stream);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return it;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  answerAll(): void {
    for (const stream of this.held.splice(0)) {
      stream.respond({ ":status": 204 });
      stream.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One request: what becomes of it. */
class Call implements PoolWaiter {
  readonly fresh = false;
  connection: ClientConnection | undefined;
  outcome = "";
  sender: StreamSender<RequestHead> | undefined;

  onConnection(connection: ClientConnection): void {
    this.connection = connection;
    this.sender = connection.openStream({
      onHead: (head) => (this.outcome = String(head.status)),
      onData() {},
      onTrailers() {},
      onReset: (reason) => (this.outcome = reason),
      onWriteBlocked() {},
      onWritable() {},
    });
    this.sender.sendHead({ method: "GET", path: "/", authority: "a", scheme: "http", headers: new HeaderMap() }, true);
  }

  onFailure(reason: ResetReason): void {
    this.outcome = reason;
  }
}

function poolTo(port: number, config: Partial<ClusterConfig> = {}): { pool: ConnectionPool; stats: ClusterStats } {
  const stats = new ClusterStats();
  const wheel = new TimerWheel({ tickMs: 10 });
  const whole = { ...clusterDefaults, name: "c", protocol: "http2", ...config };
  return { pool: new ConnectionPool("127.0.0.1", port, whole, stats, wheel), stats };
}

function calls(pool: ConnectionPool, count: number): Call[] {
  return Array.from({ length: count }, () => {
    const call = new Call();
    pool.acquire(call);
    return call;
  });
}

test("requests share one connection; it is idle when all are answered, and ages", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port, { idleTimeoutMs: 60 });
  const all = calls(pool, 90);
  await until("90 requests are held", () => server.held.length === 90);
  assert.equal(stats.upstream_cx_total, 1);
  assert.equal(pool.idleConnections, 0);
  server.answerAll();
  await until("all are answered", () => all.every(({ outcome }) => outcome === "204"));
  assert.equal(pool.idleConnections, 1);
  await until("no connection is left", () => pool.connections === 0);
  assert.equal(stats.upstream_cx_idle_timeout, 1);
});

test("what a host allows on one connection is learned: no more than it, and as many connections as needed", async () => {
  await using server = await HoldingServer.start({ maxConcurrentStreams: 4 });
  const { pool, stats } = poolTo(server.port);
  const [first] = calls(pool, 1);
  await until("one request is held", () => server.held.length === 1);
  const more = calls(pool, 11);
  await until("12 requests are held", () => server.held.length === 12);
  assert.equal(stats.upstream_cx_total, 3);
  server.answerAll();
  await until("all are answered", () => [first, ...more].every((call) => call?.outcome === "204"));
});

test("a cluster's own limit of streams holds for each connection", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port, { http2: { maxConcurrentStreams: 3 } });
  calls(pool, 9);
  await until("9 requests are held", () => server.held.length === 9);
  assert.equal(stats.upstream_cx_total, 3);
  pool.destroy();
});

test("a host that goes away gets no more requests; those it has are answered", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port);
  const before = calls(pool, 5);
  await until("5 requests are held", () => server.held.length === 5);
  server.sessions[0]?.goaway(0, 9);
  await until("the connection takes no more", () => before[0]?.connection?.maxConcurrentStreams === 0);
  const after = calls(pool, 5);
  await until("10 requests are held", () => server.held.length === 10);
  assert.equal(stats.upstream_cx_total, 2);
  assert.notEqual(after[0]?.connection, before[0]?.connection);
  server.answerAll();
  await until("all are answered", () => [...before, ...after].every(({ outcome }) => outcome === "204"));
  await until("one connection is left", () => pool.connections === 1);
});

test("a host that cannot be reached fails all that one connection would have carried, at once", async () => {
  const server = await HoldingServer.start();
  const { port } = server;
  await server[Symbol.asyncDispose]();
  const { pool, stats } = poolTo(port);
  const all = calls(pool, 50);
  await until("all have failed", () => all.every(({ outcome }) => outcome === "remote connection failure"));
  assert.equal(stats.upstream_cx_connect_fail, 1);
  assert.equal(stats.upstream_rq_pending_active, 0);
});

test("a connection that breaks resets what it carries; the next request connects anew", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port);
  const all = calls(pool, 5);
  await until("5 requests are held", () => server.held.length === 5);
  server.sessions[0]?.socket?.destroy();
  server.sessions[0]?.destroy();
  await until("all have failed", () =>
    all.every(({ outcome }) => outcome === "connection termination" || outcome === "remote reset"),
  );
  server.held.length = 0;
  calls(pool, 1);
  await until("one request is held", () => server.held.length === 1);
  assert.equal(stats.upstream_cx_total, 2);
  pool.destroy();
});

test("a request that is given up leaves its connection to the others", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port);
  const [one, two] = calls(pool, 2);
  await until("2 requests are held", () => server.held.length === 2);
  one?.sender?.reset("local reset");
  server.answerAll();
  await until("the other is answered", () => two?.outcome === "204");
  assert.equal(one?.outcome, "");
  assert.equal(stats.http2.tx_reset, 1);
  assert.equal(pool.idleConnections, 1);
  pool.destroy();
});

test("a connection takes no more than max_requests_per_connection", async () => {
  await using server = await HoldingServer.start();
  const { pool, stats } = poolTo(server.port, { maxRequestsPerConnection: 3 });
  const all = calls(pool, 7);
  await until("7 requests are held", () => server.held.length === 7);
  assert.equal(stats.upstream_cx_total, 3);
  server.answerAll();
  await until("all are answered", () => all.every(({ outcome }) => outcome === "204"));
  await until("one connection is left", () => pool.connections === 1);
});
