import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FLAG, FRAME } from "./frame-types.ts";
import { Http2Error } from "./http2-error.ts";
import type { Http2ResponseHead } from "./message-head.ts";
import { clientEnd, output, Recorder, serverEnd } from "./testing/ends.ts";
import { block, frame, get, greeting, post, uint32 } from "./testing/raw-frames.ts";

const ids = fc.constantFrom(0, 1, 2, 3, 5, 7, 9, 2 ** 31 - 1);
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x20), fc.nat(255));
const blocks = fc.constantFrom(
  block(get),
  block(post),
  block([...post, "content-length", "5"]),
  block(["x-trailer", "1"]),
  block([":status", "200"]),
  Buffer.alloc(0),
);
const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const numbers = fc.constantFrom(0, 1, 8, 16_384, 65_535, 2 ** 31 - 1, 2 ** 32 - 1).map(uint32);
const setting = fc
  .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 99), numbers)
  .map(([id, value]) => Buffer.concat([Buffer.from([0, id]), value]));
const anyFrame = fc
  .oneof(
    fc.tuple(fc.constant<number>(FRAME.headers), fc.constantFrom(4, 5, 0, 1), ids, blocks),
    fc.tuple(fc.constant<number>(FRAME.continuation), fc.constantFrom(0, 4), ids, blocks),
    fc.tuple(fc.constant<number>(FRAME.data), flags, ids, noise),
    fc.tuple(fc.constantFrom<number>(FRAME.rstStream, FRAME.windowUpdate), fc.constant(0), ids, numbers),
    fc.tuple(fc.constant<number>(FRAME.settings), fc.constantFrom(0, 1), fc.constantFrom(0, 0, 0, 1), setting),
    fc.tuple(fc.nat(12), flags, ids, noise),
  )
  .map(([type, flag, id, payload]) => frame(type, flag, id, payload));

/** One message as a friendly peer may send it: its block in pieces, its data padded or not. */
const message = fc.record({
  cut: fc.nat(20),
  parts: fc.array(fc.tuple(noise, fc.nat(9)), { maxLength: 4 }),
  trailers: fc.boolean(),
});

function padded(id: number, end: boolean, data: Buffer, padding: number): Buffer {
  const flag = end ? FLAG.endStream : 0;
  if (padding === 0) return frame(FRAME.data, flag, id, data);
  return frame(
    FRAME.data,
    flag | FLAG.padded,
    id,
    Buffer.concat([Buffer.from([padding]), data, Buffer.alloc(padding)]),
  );
}

function messageFrames(id: number, head: Buffer, m: typeof message extends fc.Arbitrary<infer M> ? M : never): Buffer {
  const cut = Math.min(m.cut, head.length);
  const last = m.parts.length - 1;
  return Buffer.concat([
    frame(FRAME.headers, 0, id, head.subarray(0, cut)),
    frame(FRAME.continuation, FLAG.endHeaders, id, head.subarray(cut)),
    ...m.parts.map(([data, padding], i) => padded(id, i === last && !m.trailers, data, padding)),
    ...(m.trailers ? [frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, id, block(["x-trailer", "1"]))] : []),
  ]);
}

/** Mostly messages, with frames among them that may be anything. */
function framesWith(head: Buffer): fc.Arbitrary<Buffer> {
  const one = fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: anyFrame });
  return fc.array(one, { maxLength: 12 }).map((list) => {
    let id = -1;
    return Buffer.concat(list.map((it) => (Buffer.isBuffer(it) ? it : messageFrames((id += 2), head, it))));
  });
}

interface Ending {
  readonly told: unknown[];
  readonly error: string;
  readonly output: string;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

/** Reads pieces until the end of the connection; only an Http2Error may come out of it. */
function receiveAll(receive: (piece: Buffer) => void, pieces: readonly Buffer[]): string {
  try {
    for (const piece of pieces) receive(piece);
    return "";
  } catch (error) {
    assert(error instanceof Http2Error, String(error));
    return error.message;
  }
}

function serve(pieces: readonly Buffer[]): Ending {
  const end = serverEnd();
  const error = receiveAll((piece) => end.server.receive(piece), pieces);
  return {
    told: end.recorders.map(({ told, body }) => [told, body]),
    error,
    output: output(end.server).toString("hex"),
  };
}

function ask(pieces: readonly Buffer[]): Ending {
  const { client } = clientEnd();
  const recorders = [1, 2, 3].map(() => new Recorder<Http2ResponseHead>());
  for (const recorder of recorders) {
    const stream = client.openStream(recorder);
    client.sendHead(stream, { method: "GET", path: "/", authority: "a", scheme: "http" }, [], undefined, true);
  }
  const error = receiveAll((piece) => client.receive(piece), pieces);
  return { told: recorders.map(({ told, body }) => [told, body]), error, output: output(client).toString("hex") };
}

const settings = frame(FRAME.settings, 0, 0);

test("any split of a client's bytes, right or wrong, has the same outcome", () => {
  fc.assert(
    fc.property(framesWith(block(post)), fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
      const all = Buffer.concat([greeting, bytes]);
      const whole = serve([all]);
      assert.deepEqual(serve(split(all, cuts)), whole);
      assert.deepEqual(serve([...all].map((byte) => Buffer.from([byte]))), whole);
    }),
    { numRuns: 400 },
  );
});

test("any split of a server's bytes, right or wrong, has the same outcome", () => {
  fc.assert(
    fc.property(framesWith(block([":status", "200"])), fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
      const all = Buffer.concat([settings, bytes]);
      const whole = ask([all]);
      assert.deepEqual(ask(split(all, cuts)), whole);
      assert.deepEqual(ask([...all].map((byte) => Buffer.from([byte]))), whole);
    }),
    { numRuns: 400 },
  );
});

test("a connection with some bytes changed, left out or doubled ends in an Http2Error or goes on", () => {
  const request = (id: number, body: string): Buffer =>
    Buffer.concat([
      frame(FRAME.headers, FLAG.endHeaders, id, block([...post, "content-length", String(body.length)])),
      frame(FRAME.data, FLAG.endStream, id, body),
    ]);
  const good = Buffer.concat([greeting, request(1, "hello"), request(3, "x".repeat(300)), request(5, "")]);
  const change = fc.tuple(fc.nat(good.length - 1), fc.constantFrom("set", "drop", "double"), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let bytes = Buffer.from(good);
      for (const [at, kind, byte] of changes) {
        const where = at % bytes.length;
        if (kind === "set") bytes[where] = byte;
        else {
          const from = kind === "drop" ? where + 1 : where;
          bytes = Buffer.concat([bytes.subarray(0, kind === "drop" ? where : where + 1), bytes.subarray(from)]);
        }
      }
      serve([bytes]);
      ask([Buffer.concat([settings, bytes.subarray(24)])]);
    }),
    { numRuns: 2000 },
  );
});

test("noise ends in an Http2Error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 400 }), (bytes) => {
      assert.notEqual(serve([Buffer.from(bytes)]).error, "");
    }),
  );
});
