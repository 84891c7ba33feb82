import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { exchange } from "./http-exchange.ts";

async function serve(answer: RequestListener): Promise<{ url: string; server: Server } & AsyncDisposable> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, server, [Symbol.asyncDispose]: stop };
}

const { signal } = new AbortController();
const get = { method: "GET", headers: {}, signal } as const;

test("a request has its method, headers and body; an answer its status and text, in whatever parts it comes", async () => {
  await using peer = await serve((request, response) => {
    const { method, url, headers } = request;
    response.writeHead(418);
    response.write(`${method} ${url} ${String(headers["x-a"])} ${headers["content-length"]} `);
    request.pipe(response);
  });
  const answer = await exchange(`${peer.url}/p?q=1`, { ...get, method: "POST", headers: { "x-a": "1" }, body: "grün" });
  assert.deepEqual(answer, { status: 418, text: "POST /p?q=1 1 5 grün" });
});

test("a redirection is an answer", async () => {
  await using peer = await serve((_request, response) => response.writeHead(302, { location: "/elsewhere" }).end("x"));
  assert.deepEqual(await exchange(peer.url, get), { status: 302, text: "x" });
});

test("who says more than is ever asked for is not listened to", async () => {
  await using peer = await serve((_request, response) => {
    response.on("drain", () => response.write("x".repeat(1024 * 1024)));
    response.write("x".repeat(1024 * 1024));
  });
  await assert.rejects(exchange(peer.url, get), /longer than 4194304 bytes/);
});

test("a connection that breaks in the middle of an answer is an error", async () => {
  await using peer = await serve((_request, response) => {
    response.writeHead(200, { "content-length": 10 });
    response.write("x", () => response.destroy());
  });
  await assert.rejects(exchange(peer.url, get), { code: "ECONNRESET" });
});

test("rejects with the signal's reason, before an answer and within one", async () => {
  const reason = new Error("enough");
  for (const begins of [false, true]) {
    const controller = new AbortController();
    await using peer = await serve((_request, response) => {
      if (begins) response.write("x", () => controller.abort(reason));
      else controller.abort(reason);
    });
    await assert.rejects(exchange(peer.url, { ...get, signal: controller.signal }), reason);
  }
});

test("nobody listens: the error of the connection, as it is", async () => {
  const peer = await serve(() => undefined);
  await peer[Symbol.asyncDispose]();
  await assert.rejects(exchange(peer.url, get), { code: "ECONNREFUSED" });
});

test("an answer that switches to another protocol is an error", { timeout: 10_000 }, async () => {
  await using peer = await serve(() => undefined);
  peer.server.on("connection", (socket) =>
    socket.once("data", () =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    ),
  );
  await assert.rejects(exchange(peer.url, get), /closed without an answer/);
});
