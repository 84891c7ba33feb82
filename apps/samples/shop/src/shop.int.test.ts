import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { RpcCaller } from "./rpc/rpc-caller.ts";

/** Stands for all sidecars: takes registrations, and sends calls straight to the instance that published the Host. */
class FakeMesh {
  readonly portOf = new Map<string, number>();
  readonly log: string[] = [];
  readonly traces = new Set<string | undefined>();
  readonly #server: Server = createServer((incoming, answer) => {
    let body = "";
    incoming.on("data", (bytes: Buffer) => (body += bytes.toString()));
    incoming.on("end", () => {
      if (incoming.method === "POST") {
        const { service } = JSON.parse(body) as { service: { interface: string; port: number } };
        const operation = (incoming.url ?? "").split("?")[0]!;
        this.log.push(`${operation} ${service.interface}`);
        if (operation === "/pub") this.portOf.set(service.interface, service.port);
        if (operation === "/unpub") this.portOf.delete(service.interface);
        answer.end('{"err_no":0,"revision":1}');
        return;
      }
      this.traces.add(incoming.headers["traceparent"] as string | undefined);
      const path = (incoming.url ?? "").replace(/^http:\/\/[^/]+/, "");
      const forwarded = request(
        { host: "127.0.0.1", port: this.portOf.get(incoming.headers.host!), path, headers: incoming.headers },
        (inner) => {
          answer.writeHead(inner.statusCode!, inner.headers);
          inner.pipe(answer);
        },
      );
      forwarded.on("error", () => answer.writeHead(503).end("no healthy upstream"));
      forwarded.end();
    });
  });
  url = "";

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const mesh = new FakeMesh();
await mesh.start();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  mesh.stop();
});

async function startInstance(service: string, version = "v1"): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), service], {
    env: {
      SHOP_PORT: "0",
      SHOP_RPC_PORT: "0",
      SHOP_VERSION: version,
      SHOP_INSTANCE: `${service}-${version}`,
      SHOP_SIDECAR_API: mesh.url,
      SHOP_OUTBOUND: mesh.url,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('"msg":"published"')) break;
  }
  child.stdout.resume();
  return child;
}

async function get(
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  return await new Promise((resolve, reject) => {
    const sent = request(new URL(path, mesh.url), { headers: { ...headers, host } }, (response) => {
      let text = "";
      response.on("data", (bytes: Buffer) => (text += bytes.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode!, body: JSON.parse(text) as Record<string, unknown> }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("the shop: each answer names who served each part, in one trace; an instance withdraws before it ends", async () => {
  await Promise.all([startInstance("catalog"), startInstance("orders")]);
  const reviews = await startInstance("reviews", "v2");
  await startInstance("storefront");
  assert.ok(mesh.log.includes("/sub shop.Catalog"));

  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const { status, body } = await get("shop.Storefront", "/", { traceparent });
  assert.equal(status, 200);
  assert.deepEqual(body["servedBy"], { instance: "storefront-v1", version: "v1" });
  const parts = body as { reviews: { servedBy: object; reviews: object[] }; orders: { catalog: { item: object } } };
  assert.deepEqual(parts.reviews.servedBy, { instance: "reviews-v2", version: "v2" });
  assert.ok("stars" in parts.reviews.reviews[0]!);
  assert.ok("sku" in parts.orders.catalog.item);
  assert.deepEqual([...mesh.traces], [traceparent]);

  reviews.kill("SIGTERM");
  assert.deepEqual(await once(reviews, "exit"), [0, null]);
  assert.equal(mesh.log.at(-1), "/unpub shop.Reviews");
  const without = await get("shop.Storefront", "/");
  assert.equal(without.status, 502);
  assert.match(String(without.body["error"]), /shop.Reviews\/reviews answered 503/);
  assert.equal((await get("shop.Catalog", "/items/none")).status, 404);
});

test("an RPC service is published at the port where it is called, over its own protocol, and withdraws like the others", async () => {
  const stock = await startInstance("stock");
  const caller = new RpcCaller("bolt", { host: "127.0.0.1", port: mesh.portOf.get("shop.Stock")! });
  assert.deepEqual(await caller.call("shop.Stock", "piecesOf", ["rope-12"]), {
    sku: "rope-12",
    pieces: 120,
    servedBy: { instance: "stock-v1", version: "v1" },
  });
  caller.close();
  assert.ok(mesh.log.includes("/pub shop.Stock"));
  stock.kill("SIGTERM");
  assert.deepEqual(await once(stock, "exit"), [0, null]);
  assert.equal(mesh.log.at(-1), "/unpub shop.Stock");
});

test("an unknown service is a usage error", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "nothing"], { stdio: "ignore" });
  assert.deepEqual(await once(child, "exit"), [64, null]);
});
