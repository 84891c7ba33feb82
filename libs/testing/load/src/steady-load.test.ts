import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { SteadyLoad } from "./steady-load.ts";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

test("each request of each kind of client is counted, and none fails where none is failed", async () => {
  const http1 = createServer((_request, response) => response.end("ok"));
  const http2 = createHttp2Server((_request, response) => response.end("ok"));
  const plain = new SteadyLoad({ port: await listen(http1), host: "x", http2: 0, pauseMs: 0 });
  const streams = new SteadyLoad({ port: await listen(http2), host: "x", keepAlive: 0, newConnections: 0, pauseMs: 0 });
  await Promise.all([plain.progress(50), streams.progress(50)]);
  await Promise.all([plain.stop(), streams.stop()]);
  assert.deepEqual([...plain.failures, ...streams.failures], []);
  assert(plain.done["keep-alive"] > 0 && plain.done["new connection"] > 0 && streams.done.http2 >= 50);
  http1.close();
  http2.close();
});

test("an answer that is cut, one that is not 200 and a connection that ends instead of an answer are failures", async () => {
  const answers = [
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
    "HTTP/1.1 503 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    "",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
  ];
  const server = createTcpServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answers.shift() ?? "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  });
  const load = new SteadyLoad({ port: await listen(server), host: "x", keepAlive: 1, newConnections: 0, http2: 0 });
  await load.progress(5);
  await load.stop();
  assert.equal(load.failures.length, 3);
  assert.match(load.failures[0] ?? "", /ended after .*ab/);
  assert.match(load.failures[1] ?? "", /503/);
  server.close();
});
