import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { listenToBytes } from "./direct-input.ts";
import { SocketWriter } from "./socket-writer.ts";
import { socketPair, turnsUntil } from "./testing/socket-pair.ts";

test("bytes come as they were sent, each chunk stays as it came, and the end is told", async (t) => {
  const { ours, peer } = await socketPair(t);
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
    if (i % 3 === 0) await turnsUntil(() => total === expected);
  }
  peer.end();
  await ended;
  assert(chunks.length > 60, `${chunks.length} chunks`);
  assert(Buffer.concat(chunks).equals(Buffer.concat(sent)));
});

test("a paused socket is not read, and its peer is held back; what was sent comes when it is resumed", async (t) => {
  const { ours, peer } = await socketPair(t);
  let total = 0;
  listenToBytes(ours, (chunk) => {
    total += chunk.length;
    if (total === 5) ours.pause();
  });
  peer.write("first");
  await turnsUntil(() => total === 5);
  assert(ours.isPaused());
  // More than the system keeps for a connection: the peer is left with the rest.
  const large = Buffer.alloc(32 * 1024 * 1024);
  let taken = false;
  peer.write(large, () => (taken = true));
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(total, 5);
  assert.equal(taken, false);
  ours.resume();
  await turnsUntil(() => total === 5 + large.length);
});

test("a socket that cannot be taken over, as somebody holds it, is read as it is documented", async (t) => {
  const { ours, peer } = await socketPair(t);
  ours.pause();
  let text = "";
  listenToBytes(ours, (chunk) => (text += chunk.toString()));
  peer.write("first");
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(text, "");
  ours.resume();
  await turnsUntil(() => text === "first");
  const ended = once(ours, "end");
  peer.end("last");
  await ended;
  assert.equal(text, "firstlast");
});

test("what somebody has read and put back comes first, and what follows is read directly", async (t) => {
  const { ours, peer } = await socketPair(t);
  peer.write("first");
  ours.once("data", (chunk: Buffer) => {
    ours.pause();
    ours.unshift(chunk);
  });
  await turnsUntil(() => ours.isPaused());
  peer.write("second");
  ours.resume();
  let text = "";
  let memory: ArrayBufferLike | undefined;
  let shares = false;
  listenToBytes(ours, (chunk) => {
    text += chunk.toString();
    // Small reads are copied into one slab; node:net gives each its own memory.
    shares ||= memory !== undefined && memory === chunk.buffer;
    memory = chunk.buffer;
  });
  await turnsUntil(() => text === "firstsecond");
  peer.write("third");
  await turnsUntil(() => text.endsWith("third"));
  peer.write("fourth");
  const ended = once(ours, "end");
  peer.end();
  await ended;
  assert.equal(text, "firstsecondthirdfourth");
  assert(shares);
});

test("an error of the connection is told as an error of the socket", async (t) => {
  const { ours, peer } = await socketPair(t);
  listenToBytes(ours, () => undefined);
  const failed = once(ours, "error");
  peer.resetAndDestroy();
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

/** The byte at a place of what is sent: each shift or overwriting shows. */
const byteAt = (place: number) => (place * 31 + (place >>> 8) * 7 + (place >>> 16)) & 255;

function bytesFrom(place: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(place + i);
  return bytes;
}

test("memory of large reads is used again when all of a read has gone out", async (t) => {
  const { ours, peer } = await socketPair(t);
  const { ours: out, peer: sink } = await socketPair(t);
  sink.resume();
  const writer = new SocketWriter(out, { onWriteBlocked() {}, onWritable() {} });
  const memories: ArrayBufferLike[] = [];
  let passed = 0;
  listenToBytes(
    ours,
    (chunk) => {
      memories.push(chunk.buffer);
      passed = chunk.length;
      writer.write("head");
      writer.write(chunk, true);
    },
    () => passed,
  );
  for (let i = 1; i <= 40; i++) {
    peer.write(Buffer.alloc(20_000));
    await turnsUntil(() => memories.length >= i);
  }
  assert(new Set(memories.slice(-20)).size === 1, "the last reads lie in the same memory");
});

test("sockets that read nothing any more do not keep others from having memory of their own", async (t) => {
  const { ours: out, peer: sink } = await socketPair(t);
  sink.resume();
  const writer = new SocketWriter(out, { onWriteBlocked() {}, onWritable() {} });
  /** Reads so often from a new connection. @returns how many different memories the last 20 reads lay in */
  const read = async (times: number): Promise<number> => {
    const { ours, peer } = await socketPair(t);
    const memories: ArrayBufferLike[] = [];
    listenToBytes(
      ours,
      (chunk) => {
        memories.push(chunk.buffer);
        writer.write(chunk, true);
      },
      () => 20_000,
    );
    const bytes = Buffer.alloc(20_000);
    for (let i = 1; i <= times; i++) {
      peer.write(bytes);
      await turnsUntil(() => memories.length >= i);
    }
    return new Set(memories.slice(-20)).size;
  };
  for (let i = 0; i < 64; i++) await read(6);
  assert.equal(await read(200), 1);
});

test("whatever becomes of what was read, who keeps it keeps it as it was, and what is sent arrives", async (t) => {
  const fates = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.nat(99)), { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fates, fc.nat(3), async (plan, kept) => {
      const { ours, peer } = await socketPair(t);
      const { ours: out, peer: sink } = await socketPair(t);
      const { ours: stuckOut, peer: stuckSink } = await socketPair(t);
      stuckSink.pause();
      const events = { onWriteBlocked() {}, onWritable() {} };
      const writer = new SocketWriter(out, events);
      const stuck = new SocketWriter(stuckOut, events);
      // What nobody reads: the system takes no more, so that what is written behind it waits here.
      const filling = Buffer.alloc(64 * 1024);
      let filled = 0;
      while (stuck.unsentBytes === 0) {
        stuck.writeNow([filling]);
        filled += filling.length;
      }
      const received: Buffer[] = [];
      sink.on("data", (chunk: Buffer) => received.push(chunk));
      const held: { readonly slice: Buffer; readonly place: number }[] = [];
      const sent: Buffer[] = [];
      const sentToStuck: Buffer[] = [];
      let [place, step, passed] = [0, 0, 0];
      listenToBytes(
        ours,
        (chunk) => {
          passed = 0;
          for (let at = 0; at < chunk.length;) {
            const [length, fate] = plan[step++ % plan.length]!;
            const slice = chunk.subarray(at, at + length);
            passed += slice.length;
            if (fate < 5 * kept) held.push({ slice, place });
            else if (fate < 10 * kept) {
              held.push({ slice, place });
              writer.write(slice);
              sent.push(bytesFrom(place, slice.length));
            } else if (fate < 12 * kept) {
              stuck.write(slice, true);
              sentToStuck.push(bytesFrom(place, slice.length));
            } else {
              writer.write(slice, true);
              sent.push(bytesFrom(place, slice.length));
            }
            at += slice.length;
            place += slice.length;
          }
        },
        () => passed,
      );
      let total = 0;
      for (let i = 0; i < 30; i++) {
        const bytes = bytesFrom(total, 3000 + ((i * 7919) % 60_000));
        total += bytes.length;
        peer.write(bytes);
        if (i % 3 === 0) await turnsUntil(() => place === total);
      }
      await turnsUntil(() => place === total);
      for (const { slice, place: from } of held) assert(slice.equals(bytesFrom(from, slice.length)), "kept bytes");
      out.end();
      await once(sink, "end");
      assert(Buffer.concat(received).equals(Buffer.concat(sent)), "sent bytes");
      stuckOut.end();
      const late: Buffer[] = [];
      stuckSink.on("data", (chunk: Buffer) => late.push(chunk));
      stuckSink.resume();
      await once(stuckSink, "end");
      assert(Buffer.concat(late).subarray(filled).equals(Buffer.concat(sentToStuck)), "bytes that had to wait");
    }),
    { numRuns: 30 },
  );
});
