import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { withLeakCheck } from "@fairlead/buffer/testing";
import { DirectOutput, listenToBytes } from "./direct-io.ts";

async function pair(t: TestContext): Promise<{ readonly ours: Socket; readonly peer: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const peer = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    ours.destroy();
    peer.destroy();
    server.close();
  });
  peer.on("error", () => undefined);
  return { ours, peer };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

test("bytes come as they were sent, each chunk stays as it came, and the end is told", async (t) => {
  const { ours, peer } = await pair(t);
  const chunks: Buffer[] = [];
  let total = 0;
  listenToBytes(ours, (chunk) => {
    chunks.push(chunk);
    total += chunk.length;
  });
  const ended = once(ours, "end");
  const sent: Buffer[] = [];
  let expected = 0;
  for (let i = 0; i < 200; i++) {
    const bytes = Buffer.alloc(1 + ((i * 977) % 20_000), i);
    sent.push(bytes);
    expected += bytes.length;
    peer.write(bytes);
    if (i % 3 === 0) await until(() => total === expected);
  }
  peer.end();
  await ended;
  assert(chunks.length > 60, `${chunks.length} chunks`);
  assert(Buffer.concat(chunks).equals(Buffer.concat(sent)));
});

test("a paused socket is not read, and its peer is held back; what was sent comes when it is resumed", async (t) => {
  const { ours, peer } = await pair(t);
  let total = 0;
  listenToBytes(ours, (chunk) => {
    total += chunk.length;
    if (total === 5) ours.pause();
  });
  peer.write("first");
  await until(() => total === 5);
  assert(ours.isPaused());
  // More than the system keeps for a connection: the peer is left with the rest.
  const large = Buffer.alloc(32 * 1024 * 1024);
  let taken = false;
  peer.write(large, () => (taken = true));
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(total, 5);
  assert.equal(taken, false);
  ours.resume();
  await until(() => total === 5 + large.length);
});

test("a socket that cannot be taken over, as somebody holds it, is read as it is documented", async (t) => {
  const { ours, peer } = await pair(t);
  ours.pause();
  let text = "";
  listenToBytes(ours, (chunk) => (text += chunk.toString()));
  peer.write("first");
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(text, "");
  ours.resume();
  await until(() => text === "first");
  const ended = once(ours, "end");
  peer.end("last");
  await ended;
  assert.equal(text, "firstlast");
});

test("an error of the connection is told as an error of the socket", async (t) => {
  const { ours, peer } = await pair(t);
  listenToBytes(ours, () => undefined);
  const failed = once(ours, "error");
  peer.resetAndDestroy();
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("what the system does not take waits, and what is written to the socket behind it keeps its place", async (t) => {
  const { ours, peer } = await pair(t);
  const output = new DirectOutput(ours);
  peer.pause();
  const sent: Buffer[] = [];
  let direct = 0;
  for (let i = 0; sent.length < 400 || output.pendingBytes === 0; i++) {
    const bytes = Buffer.alloc(16 * 1024, i);
    sent.push(bytes);
    if (output.write(bytes)) direct++;
    else ours.write(bytes);
    if (sent.length > 4000) break;
  }
  assert(direct > 0 && direct < sent.length, `${direct} of ${sent.length} were written directly`);
  assert(output.pendingBytes > 0);
  ours.end();
  const received: Buffer[] = [];
  for await (const chunk of peer as AsyncIterable<Buffer>) received.push(chunk);
  assert(Buffer.concat(received).equals(Buffer.concat(sent)));
  await until(() => output.pendingBytes === 0);
});

test("memory that was written from goes back, whether the peer takes it, or the socket is destroyed before", async (t) => {
  for (const ending of ["taken", "destroyed"] as const) {
    const { ours, peer } = await pair(t);
    peer.pause();
    await withLeakCheck(async ({ pool }) => {
      const output = new DirectOutput(ours);
      // Until the system takes no more.
      for (let n = 0; output.pendingBytes === 0; n++) {
        assert(n < 10_000);
        const slab = pool.take(64 * 1024);
        assert.equal(output.write(slab.bytes, slab), true);
      }
      assert.equal(pool.stats.out, 1);
      if (ending === "taken") peer.resume();
      else ours.destroy();
      await until(() => pool.stats.out === 0);
    });
  }
});

test("a peer that resets while bytes wait for it is noticed, also where nothing is read", async (t) => {
  const { ours, peer } = await pair(t);
  listenToBytes(ours, () => undefined);
  let code: string | undefined;
  const closed = new Promise((resolve) => {
    ours.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    ours.on("close", resolve);
  });
  ours.pause();
  const output = new DirectOutput(ours);
  const block = Buffer.alloc(64 * 1024);
  while (output.pendingBytes === 0) assert(output.write(block));
  peer.resetAndDestroy();
  await closed;
  assert.equal(output.pendingBytes, 0);
  assert.match(code ?? "", /^(?:ECONNRESET|EPIPE)$/);
});
