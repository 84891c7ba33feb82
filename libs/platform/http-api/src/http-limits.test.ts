import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { z } from "zod";
import { addRoute, createHttpApi, type HttpApi, type HttpApiOptions } from "./index.ts";

const closables: (() => unknown)[] = [];
after(async () => {
  for (const close of closables) await close();
});

async function start(
  more: Partial<HttpApiOptions> = {},
): Promise<{ api: HttpApi; port: number; url: string; logged: string[] }> {
  const logged: string[] = [];
  const api = await createHttpApi({
    name: "test",
    description: "",
    logger: createLogger({ service: "test", destination: { write: (line) => void logged.push(line) } }),
    telemetry: { serveMetrics: () => undefined },
    readiness: () => ({ waitingFor: [] }),
    ...more,
  });
  const route = { method: "POST", summary: "Takes it.", answer: z.object({}), handle: async () => ({}) } as const;
  addRoute(api.fastify, { ...route, path: "/json", body: z.looseObject({}) });
  addRoute(api.fastify, {
    ...route,
    path: "/small",
    accepts: { maxBytes: 10, contentTypes: ["application/json", "text/x"] },
  });
  const port = await api.listen("127.0.0.1", 0);
  closables.push(() => api.close());
  return { api, port, url: `http://127.0.0.1:${port}`, logged };
}

function open(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  closables.push(() => socket.destroy());
  return socket;
}

const post = async (url: string, type: string, body: string) => {
  const answer = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return { status: answer.status, ...((await answer.json()) as { code: string; message: string }) };
};

test("a body that is too large is refused with the limit, one of another type with what is expected", async () => {
  const { url } = await start({ maxBodyBytes: 1000 });
  assert.deepEqual(
    [
      await post(`${url}/json`, "application/json", `"${"x".repeat(1000)}"`),
      await post(`${url}/small`, "application/json", "[1,2,3,4,5,6]"),
    ].map(({ status, message }) => [status, message]),
    [
      [413, "the body is larger than 1000 bytes"],
      [413, "the body is larger than 10 bytes"],
    ],
  );
  const wrong = await post(`${url}/json`, "text/csv", "a");
  assert.deepEqual(
    [wrong.status, wrong.message],
    [415, 'the request has the content-type "text/csv"; expected is application/json'],
  );
  assert.match((await post(`${url}/small`, "text/csv", "a")).message, /expected is application\/json, text\/x$/);
});

test("connections above the limit are closed, with a line in the log; those that are there go on", async () => {
  const { port, logged } = await start({
    limits: { maxConnections: 2, headersTimeoutMs: 5000, requestTimeoutMs: 5000 },
  });
  const held = [open(port), open(port)];
  await Promise.all(held.map((socket) => once(socket, "connect")));
  const [one] = held as [Socket, Socket];
  // Answered: the server has both.
  for (const socket of held) {
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "data");
  }
  await once(open(port), "close");
  await once(open(port), "close");
  assert.equal(logged.filter((line) => line.includes("above the limit")).length, 1);
  one.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [bytes] = (await once(one, "data")) as [Buffer];
  assert.match(bytes.toString(), /^HTTP\/1\.1 200/);
  one.destroy();
  await once(one, "close");
});

test("a head and a body that do not arrive are given up soon after their time", async () => {
  const { port } = await start({ limits: { maxConnections: 10, headersTimeoutMs: 200, requestTimeoutMs: 400 } });
  for (const sent of [
    "POST /json HTTP/1.1\r\nHost: localhost\r\n",
    "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{",
  ]) {
    const socket = open(port);
    const started = performance.now();
    socket.write(sent);
    let answer = "";
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString()));
    await once(socket, "close");
    assert.ok(performance.now() - started < 4000);
    assert.match(answer, /^HTTP\/1\.1 408/);
  }
});
