import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Http2Stats } from "@fairlead/codec-http2";
import { KeepAlive, type KeepAliveOptions } from "./keep-alive.ts";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

function underTest(options: Partial<KeepAliveOptions>, random = 0) {
  const clock = { nowMs: 0 };
  const seen = { pings: 0, timeouts: 0, last: Buffer.alloc(8) as Buffer };
  const stats = new Http2Stats();
  const connection = {
    sendPing(opaque: Buffer): void {
      seen.pings++;
      seen.last = opaque;
    },
    onKeepAliveTimeout: () => void seen.timeouts++,
  };
  const keepAlive = new KeepAlive(
    { intervalMs: 0, timeoutMs: 50, jitter: 0.15, idleMs: 0, ...options },
    connection,
    stats,
    { now: () => clock.nowMs, random: () => random },
  );
  const pass = (ms: number): void => {
    clock.nowMs += ms;
    mock.timers.tick(ms);
  };
  return { keepAlive, pass, seen, stats };
}

test("a PING goes out at each interval, with its jitter; an answer keeps the connection", () => {
  const { keepAlive, pass, seen } = underTest({ intervalMs: 100 }, 1);
  pass(114);
  assert.equal(seen.pings, 0);
  pass(1);
  assert.equal(seen.pings, 1);
  keepAlive.onPingAck(seen.last);
  pass(115);
  assert.equal(seen.pings, 2);
  assert.equal(seen.timeouts, 0);
  keepAlive.end();
  pass(1000);
  assert.equal(seen.pings, 2);
});

test("a peer that says nothing at all in time is gone, and that is counted; any frame is a sign of it", () => {
  const { keepAlive, pass, seen, stats } = underTest({ intervalMs: 100 });
  pass(100);
  pass(40);
  keepAlive.onFrames();
  pass(40);
  assert.equal(seen.timeouts, 0);
  keepAlive.onPingAck(Buffer.from("somebody"));
  pass(10);
  assert.equal(seen.timeouts, 1);
  assert.equal(stats.keepalive_timeout, 1);
  pass(1000);
  assert.equal(seen.pings, 1);
});

test("before a request on a connection that was quiet, the peer is asked", () => {
  const { keepAlive, pass, seen } = underTest({ idleMs: 100 });
  pass(99);
  keepAlive.onRequest();
  assert.equal(seen.pings, 0);
  pass(1);
  keepAlive.onRequest();
  keepAlive.onRequest();
  assert.equal(seen.pings, 1);
  pass(50);
  assert.equal(seen.timeouts, 1);
});
