import assert from "node:assert/strict";
import { BoundSocket, connect } from "node:net";
import { after, before, test } from "node:test";
import type { HttpApi } from "./index.ts";
import { plainApi } from "./testing/plain-api.ts";

let api: HttpApi;
let url: string;

before(async () => {
  api = await plainApi();
  url = `http://127.0.0.1:${await api.listen("127.0.0.1", 0)}`;
});
after(async () => await api.close());

test("a path that cannot be decoded is refused in the shape of all errors", async () => {
  const response = await fetch(`${url}/healthz/%zz`);
  const { code, action } = (await response.json()) as { code: string; action: string };
  assert.deepEqual([response.status, code], [400, "FL_REQUEST_MALFORMED"]);
  assert.notEqual(action, "");
});

test("one that accepts no more answers those who are connected once more, and ends then", async () => {
  const other = await plainApi();
  const bound = new BoundSocket({ host: "127.0.0.1" });
  const { port } = bound.address() as { port: number };
  assert.equal(await other.listen("127.0.0.1", 0, bound), port);
  const early = connect(port, "127.0.0.1");
  await new Promise<void>((resolve) => {
    other.fastify.server.once("connection", () => resolve());
  });
  const ended = other.stopAccepting();
  let answer = "";
  early.on("data", (chunk) => (answer += String(chunk)));
  early.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  await Promise.all([ended, new Promise((resolve) => early.once("close", resolve))]);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*connection: close\r\n/i);
  await other.close();
});
