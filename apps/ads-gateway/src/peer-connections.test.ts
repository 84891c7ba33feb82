import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerConnections, type PeerConnectionsOptions } from "./peer-connections.ts";

function start(options: Partial<PeerConnectionsOptions> = {}) {
  const log: string[] = [];
  const clock = { now: 0 };
  const connections = new PeerConnections({
    maxConnections: 100,
    maxWithoutStream: 3,
    idleMs: 1000,
    maxAgeMs: 60_000,
    graceMs: 500,
    onLeaving: (peer, why) => log.push(`${peer} ${why}`),
    now: () => clock.now,
    random: () => 0.5,
    ...options,
  });
  const accept = (...peers: string[]) =>
    peers.map((peer) =>
      connections.accept({
        peer,
        goAway: (graceMs) => log.push(`${peer} goAway ${graceMs}`),
        cut: () => log.push(`${peer} cut`),
      }),
    );
  const sweepAt = (now: number) => {
    clock.now = now;
    connections.sweep();
  };
  return { connections, log, clock, accept, sweepAt };
}

test("connections without a stream are few: one more and the one that waits longest is cut", () => {
  const { connections, log, accept } = start();
  accept("a", "b", "c");
  connections.streamOpened("a");
  accept("d");
  assert.deepEqual(log, []);
  accept("e");
  assert.deepEqual(log, ["b cut"]);
  assert.equal(connections.withoutStream, 3);
  connections.streamEnded("a");
  accept("f");
  assert.deepEqual(log, ["b cut", "c cut"]);
});

test("when all connections have streams, one more is refused", () => {
  const { connections, accept, log } = start({ maxConnections: 2 });
  accept("a", "b");
  for (const peer of ["a", "b"]) connections.streamOpened(peer);
  assert.deepEqual(accept("c"), [false]);
  connections.closed("a");
  assert.deepEqual(accept("c"), [true]);
  assert.deepEqual(log, []);
});

test("a connection without a stream is closed after the idle time, and cut when it does not go", () => {
  const { connections, log, accept, sweepAt } = start();
  accept("a", "b");
  connections.streamOpened("b");
  sweepAt(999);
  assert.deepEqual(log, []);
  sweepAt(1000);
  assert.deepEqual(log.splice(0), ["a goAway 500", "a idle"]);
  connections.streamEnded("b");
  sweepAt(1499);
  assert.deepEqual(log, []);
  sweepAt(1500);
  assert.deepEqual(log.splice(0), ["a cut"]);
  sweepAt(1999);
  assert.deepEqual(log, []);
  sweepAt(2000);
  assert.deepEqual(log, ["b goAway 500", "b idle"]);
});

test("idle time begins when the last of its streams ends", () => {
  const { connections, log, accept, sweepAt, clock } = start();
  accept("a");
  for (let index = 0; index < 2; index++) connections.streamOpened("a");
  clock.now = 5000;
  connections.streamEnded("a");
  sweepAt(7000);
  assert.deepEqual(log, []);
  connections.streamEnded("a");
  sweepAt(7999);
  assert.deepEqual(log, []);
  sweepAt(8000);
  assert.equal(log.length, 2);
});

test("an old connection is told to go away before its streams end; ages differ by up to 10 % either way", () => {
  for (const [random, age] of [
    [0, 54_000],
    [0.5, 60_000],
    [1, 66_000],
  ] as const) {
    const { connections, log, accept, sweepAt } = start({ random: () => random });
    accept("a");
    connections.streamOpened("a");
    sweepAt(age - 1);
    assert.deepEqual(log, []);
    sweepAt(age);
    assert.deepEqual(log, ["a goAway 500", "a age"]);
  }
  const { connections, log, accept, sweepAt } = start({ maxAgeMs: 0 });
  accept("a");
  connections.streamOpened("a");
  sweepAt(1e12);
  assert.deepEqual(log, []);
});

test("when one stream does not read, the connection goes away in order, and is cut within a second", () => {
  const { connections, log, accept, sweepAt } = start({ graceMs: 30_000 });
  accept("a");
  connections.streamOpened("a");
  connections.sendAway("a");
  connections.sendAway("a");
  assert.deepEqual(log.splice(0), ["a goAway 1000", "a not_reading"]);
  sweepAt(1000);
  assert.deepEqual(log, ["a cut"]);
});

test("a drain goes from one connection to the next, and leaves out those that go already", async () => {
  const { connections, log, accept, sweepAt } = start();
  accept("a", "b", "c");
  connections.streamOpened("b");
  connections.streamOpened("c");
  sweepAt(1000);
  log.splice(0);
  await connections.drain(async (remaining) => {
    log.push(`pause ${remaining}`);
    if (remaining === 1) connections.closed("c");
  });
  assert.deepEqual(log, ["pause 2", "b goAway 500", "b drain", "pause 1"]);
});
