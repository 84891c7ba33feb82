import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { prices } from "../services/prices.ts";
import { stock } from "../services/stock.ts";
import { RpcCaller } from "./rpc-caller.ts";
import { RpcServer } from "./rpc-server.ts";

const servedBy = { instance: "one", version: "v1" };
const ends: (() => void | Promise<void>)[] = [];
after(async () => {
  for (const end of ends.toReversed()) await end();
});

async function started(service: typeof prices) {
  const server = new RpcServer(service, servedBy);
  const port = await server.listen("127.0.0.1", 0);
  const caller = new RpcCaller(service.protocol, { host: "127.0.0.1", port });
  ends.push(() => server.close(), () => caller.close()); // prettier-ignore
  return { port, caller };
}

for (const { service, method, part } of [
  { service: prices, method: "priceOf", part: { cents: 4590 } },
  { service: stock, method: "piecesOf", part: { pieces: 120 } },
]) {
  test(`${service.interface} answers over ${service.protocol}, many calls at a time, and says what fails`, async () => {
    const { caller } = await started(service);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => caller.call(service.interface, method, ["rope-12"])),
    );
    for (const answer of answers) assert.deepEqual(answer, { sku: "rope-12", ...part, servedBy });
    await assert.rejects(caller.call(service.interface, "steal", []), {
      name: "CallFailed",
      message: new RegExp(`${service.interface} has no method steal`),
    });
  });
}

test("a lost connection fails what waits for it, and the next call makes another", async () => {
  const { port } = await started(prices);
  let cut = true;
  const held = new Set<Socket>();
  const relay = createServer((socket) => {
    held.add(socket.on("error", () => undefined));
    if (cut) socket.once("data", () => socket.destroy());
    else {
      const onward = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.pipe(onward).pipe(socket);
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const caller = new RpcCaller("dubbo", { host: "127.0.0.1", port: (relay.address() as { port: number }).port });
  ends.push(() => {
    caller.close();
    for (const socket of held) socket.destroy();
    relay.close();
  });
  await assert.rejects(caller.call("shop.Prices", "priceOf", ["rope-12"]), /the connection to the sidecar was lost/);
  cut = false;
  assert.equal(((await caller.call("shop.Prices", "priceOf", ["cleat-6"])) as { cents: number }).cents, 1890);
});
