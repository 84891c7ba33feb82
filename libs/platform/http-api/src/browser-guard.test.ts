import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import type { HttpApi } from "./index.ts";
import { plainApi } from "./testing/plain-api.ts";

let api: HttpApi;
let port: number;

before(async () => {
  api = await plainApi();
  api.fastify.post("/change", async () => ({ changed: true }));
  port = await api.listen("127.0.0.1", 0);
});
after(async () => await api.close());

async function send(method: string, path: string, headers: Record<string, string>): Promise<[number, unknown]> {
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => {
        const { code } = JSON.parse(text) as { code?: string };
        resolve([response.statusCode ?? 0, code]);
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test("a page whose name resolves to loopback reads and changes nothing", async () => {
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "a b",
    "user@127.0.0.1.nip.io",
  ]) {
    assert.deepEqual(await send("GET", "/healthz", { host }), [403, "FL_HOST_REFUSED"], host);
    assert.deepEqual(await send("POST", "/change", { host, origin: `http://${host}` }), [403, "FL_HOST_REFUSED"], host);
  }
  for (const host of [
    "localhost",
    `localhost:${port}`,
    "LOCALHOST",
    "127.0.0.1:80",
    `[::1]:${port}`,
    "10.1.2.3",
    "shop.localhost",
  ]) {
    assert.deepEqual(await send("GET", "/healthz", { host }), [200, undefined], host);
  }
});

test("a page of another site changes nothing", async () => {
  for (const origin of ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"]) {
    assert.deepEqual(await send("POST", "/change", { origin }), [403, "FL_ORIGIN_REFUSED"], origin);
  }
  assert.deepEqual(await send("POST", "/change", { origin: `http://127.0.0.1:${port}` }), [200, undefined]);
  assert.deepEqual(await send("POST", "/change", {}), [200, undefined]);
});
