import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { HeldSockets } from "./held-sockets.ts";

const at = { name: "in", address: "127.0.0.1", port: 0 };

test("one address is one socket for all epochs, until the last of them gives it back", () => {
  const sockets = new HeldSockets();
  const first = sockets.take(at, 0);
  assert(first.port > 0);
  assert.equal(sockets.take(at, 1), first);
  sockets.release(at, 0);
  assert.equal(sockets.size, 1);
  sockets.release(at, 1);
  assert.equal(sockets.size, 0);
  sockets.close();
});

test("what the next epoch has not asked for goes with the one before it", () => {
  const sockets = new HeldSockets();
  sockets.take(at, 0);
  sockets.take({ ...at, name: "out" }, 0);
  sockets.take(at, 1);
  sockets.keepOnly([1]);
  assert.equal(sockets.size, 1);
  sockets.close();
});

test("workers have sockets of their own at one address, and give them back together", () => {
  const sockets = new HeldSockets();
  const { port } = sockets.take({ ...at, worker: 0, workers: 2 }, 0);
  const request = { ...at, port, workers: 2 };
  const own = sockets.take({ ...request, worker: 1 }, 0);
  assert.equal(own.port, port);
  assert.notEqual(own, sockets.take({ ...request, worker: 0 }, 0));
  sockets.release(request, 0);
  assert.equal(sockets.size, 1);
  sockets.close();
});

test("a port that another process listens on is refused with the system's code; the socket is not listened on here", async () => {
  const sockets = new HeldSockets();
  const { port } = sockets.take(at, 0);
  const refused = await new Promise<NodeJS.ErrnoException>((resolve) =>
    connect(port, "127.0.0.1").once("error", resolve),
  );
  assert.equal(refused.code, "ECONNREFUSED");
  assert.throws(() => sockets.take({ ...at, address: "192.0.2.1" }, 0), { code: "EADDRNOTAVAIL" });
  sockets.close();
});
