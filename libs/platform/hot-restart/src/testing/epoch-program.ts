// A program as small as one that serves can be: it answers with its epoch. How it fails is in its environment.
import { createServer } from "node:http";
import { Server } from "node:net";
import { supervisedBy } from "../supervised.ts";

const link = await supervisedBy();
if (link === undefined) throw new Error("not supervised");
const { epoch } = link;
const failing = process.env["TEST_FAILS"] ?? "";
const request = { name: "in", address: "127.0.0.1", port: Number(process.env["TEST_PORT"]) };

const server = createServer((incoming, response) => {
  if (incoming.url === "/crash") process.kill(process.pid, "SIGKILL");
  else response.end(`epoch ${epoch}, after ${link.parent.counters["served"] ?? 0}\n`);
});
let served = 0;
server.on("request", () => served++);

link.onRetire(() => {
  // Not HTTP's own: that would cut connections whose request is on its way.
  Server.prototype.close.call(server, () => {
    link.report({ counters: { served: served + (link.parent.counters["served"] ?? 0) }, connections: 0 });
    process.exit(0);
  });
  link.handedOver();
});
if (failing === `${epoch}:imports`) {
  link.waiting(["its imports"]);
  await new Promise(() => undefined);
}
process.on("SIGTERM", () => process.exit(0));

if (failing === `${epoch}:start`) process.exit(3);
const socket = await link.take(request).catch((error: NodeJS.ErrnoException) => {
  process.stderr.write(`${error.code}\n`);
  process.exit(1);
});
const listen = (): void => void server.listen(socket.handle, () => link.up());
if (socket.mayAccept === undefined) listen();
else void socket.mayAccept.then(listen);
link.waiting(["the test"]);
if (failing !== `${epoch}:ready`) link.ready();
