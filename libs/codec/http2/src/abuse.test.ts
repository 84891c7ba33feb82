import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODE, FLAG, FRAME } from "./frame-types.ts";
import { Http2Error } from "./http2-error.ts";
import type { Http2Stats } from "./http2-stats.ts";
import { output, type ServerEnd, serverEnd } from "./testing/ends.ts";
import { block, frame, get, greeting, parseFrames, post, request, reset, uint32 } from "./testing/raw-frames.ts";

type Counter = Exclude<keyof Http2Stats, "streams_active">;

/** Sends until the connection is ended with ENHANCE_YOUR_CALM. @returns how many times it was sent */
function flood(end: ServerEnd, next: (i: number) => Buffer, read: boolean): number {
  end.server.receive(greeting);
  output(end.server);
  for (let i = 0; i < 100_000; i++) {
    try {
      end.server.receive(next(i));
      if (read) output(end.server);
      else end.server.onOutputTaken(true, false);
    } catch (error) {
      assert(error instanceof Http2Error);
      assert.equal(error.errorCode, ERROR_CODE.enhanceYourCalm);
      const last = parseFrames(output(end.server)).at(-1);
      assert.equal(last?.type, FRAME.goAway);
      assert.equal(last.payload.readUInt32BE(4), ERROR_CODE.enhanceYourCalm);
      return i + 1;
    }
  }
  return assert.fail("it was never ended");
}

interface Flood {
  readonly name: string;
  readonly next: (i: number) => Buffer;
  readonly counter: Counter;
  /** How often at most. */
  readonly limit: number;
  /** Whether the client reads what it is answered. */
  readonly read: boolean;
}

const emptyContinuation = frame(FRAME.continuation, 0, 1);
const floods: readonly Flood[] = [
  {
    name: "PING",
    next: () => frame(FRAME.ping, 0, 0, "12345678"),
    counter: "outbound_control_flood",
    limit: 1001,
    read: false,
  },
  {
    name: "SETTINGS",
    next: () => frame(FRAME.settings, 0, 0),
    counter: "outbound_control_flood",
    limit: 1001,
    read: false,
  },
  {
    name: "streams that are refused",
    next: (i) => request(1 + 2 * i, [...get, "connection", "close"]),
    counter: "rapid_reset_flood",
    limit: 251,
    read: false,
  },
  {
    name: "PRIORITY",
    next: () => frame(FRAME.priority, 0, 1, "\0\0\0\0\x01".replace("\0\0\0\0", "\0\0\0\x03")),
    counter: "inbound_priority_frames_flood",
    limit: 101,
    read: true,
  },
  {
    name: "WINDOW_UPDATE",
    next: () => frame(FRAME.windowUpdate, 0, 0, uint32(1)),
    counter: "inbound_window_update_frames_flood",
    limit: 6,
    read: true,
  },
  {
    name: "empty DATA",
    next: (i) => (i === 0 ? request(1, post, false) : frame(FRAME.data, 0, 1)),
    counter: "inbound_empty_frames_flood",
    limit: 3,
    read: true,
  },
  {
    name: "empty CONTINUATION",
    next: (i) => (i === 0 ? frame(FRAME.headers, FLAG.endStream, 1, block(get)) : emptyContinuation),
    counter: "inbound_empty_frames_flood",
    limit: 3,
    read: true,
  },
  {
    name: "CONTINUATION of one byte",
    next: (i) => (i === 0 ? frame(FRAME.headers, FLAG.endStream, 1) : frame(FRAME.continuation, 0, 1, "\x82")),
    counter: "too_many_header_frames",
    limit: 514,
    read: true,
  },
  {
    name: "CONTINUATION of 16 KiB",
    next: (i) =>
      i === 0 ? frame(FRAME.headers, FLAG.endStream, 1) : frame(FRAME.continuation, 0, 1, Buffer.alloc(16_384, 0x82)),
    counter: "header_overflow",
    limit: 10,
    read: true,
  },
  {
    name: "rapid reset",
    next: (i) => Buffer.concat([request(1 + 2 * i), reset(1 + 2 * i)]),
    counter: "rapid_reset_flood",
    limit: 251,
    read: true,
  },
];

for (const { name, next, counter, limit, read } of floods) {
  test(`a flood of ${name} ends the connection in time and is counted`, () => {
    const end = serverEnd();
    const times = flood(end, next, read);
    assert(times <= limit, `after ${times} times`);
    assert.equal(end.stats[counter], 1);
  });
}

test("resets of streams that had a response, or lived a while, are let through at the bucket's pace", () => {
  const end = serverEnd();
  end.server.receive(greeting);
  const cancelOne = (i: number, respond: boolean): void => {
    const id = 1 + 2 * i;
    end.server.receive(request(id));
    const stream = end.streams.at(-1);
    assert(stream !== undefined);
    if (respond) end.server.sendHead(stream, 200, [], undefined, false);
    end.clock.nowMs += 31;
    if (!respond) end.clock.nowMs += 1000;
    end.server.receive(reset(id));
    output(end.server);
  };
  for (let i = 0; i < 3000; i++) cancelOne(i, i % 2 === 0);
  assert.equal(end.stats.rx_reset, 3000);
  assert.equal(end.stats.rapid_reset_flood, 0);
});

test("streams above the limit are refused, and may be tried again", () => {
  const end = serverEnd({ maxConcurrentStreams: 2 });
  end.server.receive(Buffer.concat([greeting, ...[1, 3, 5].map((id) => request(id, post, false))]));
  assert.equal(end.streams.length, 2);
  const refused = parseFrames(output(end.server)).find(({ type }) => type === FRAME.rstStream);
  assert.deepEqual([refused?.streamId, refused?.payload.readUInt32BE(0)], [5, ERROR_CODE.refusedStream]);
  assert.equal(end.stats.stream_refused_errors, 1);
});

test("a client that reads nothing and asks for ever more responses is ended", () => {
  const end = serverEnd();
  end.server.receive(greeting);
  let served = 0;
  assert.throws(() => {
    for (let i = 0; i < 50_000; i++) {
      end.server.receive(request(1 + 2 * i));
      const stream = end.streams.at(-1);
      if (stream !== undefined) end.server.sendHead(stream, 200, ["x", "y"], undefined, true);
      end.server.onOutputTaken(true, false);
      served++;
    }
  }, Http2Error);
  assert(served < 10_010);
  assert.equal(end.stats.outbound_flood, 1);
});
