import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { CallFailed, MeshCaller } from "./mesh-caller.ts";

const seen: IncomingMessage[] = [];
const sidecar = createServer((request, response) => {
  seen.push(request);
  if (request.url === "/broken") response.end("<html>");
  else if (request.url === "/gone") response.writeHead(503).end("no healthy upstream");
  else response.end('{"ok":true}');
});
await new Promise<void>((resolve) => sidecar.listen(0, "127.0.0.1", resolve));
const { port } = sidecar.address() as AddressInfo;
const caller = new MeshCaller(new URL(`http://127.0.0.1:${port}`));
after(() => {
  caller.close();
  sidecar.close();
});

test("names the service in the Host header and passes the trace on", async () => {
  const call = caller.inTrace({ traceparent: "00-aa-bb-01" });
  assert.deepEqual(await call("shop.Catalog", "/items"), { ok: true });
  const { url, headers } = seen.at(-1)!;
  assert.equal(url, "/items");
  assert.equal(headers.host, "shop.Catalog");
  assert.equal(headers["traceparent"], "00-aa-bb-01");
});

test("asks for an absolute URL, as a client that honours http_proxy", async () => {
  await caller.inTrace({})("shop.Catalog", "/items", "proxy");
  assert.equal(seen.at(-1)!.url, "http://shop.Catalog/items");
  assert.equal(seen.at(-1)!.headers.host, "shop.Catalog");
});

test("what is not an answer says which call it was", async () => {
  const call = caller.inTrace({});
  await assert.rejects(call("shop.Catalog", "/gone"), {
    name: "CallFailed",
    message: "shop.Catalog/gone answered 503: no healthy upstream",
  });
  await assert.rejects(call("shop.Catalog", "/broken"), /answered something that is not JSON/);
  const nobody = new MeshCaller(new URL("http://127.0.0.1:1"));
  await assert.rejects(nobody.inTrace({})("shop.Catalog", "/items"), CallFailed);
  nobody.close();
});
