import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ServerRounds } from "./server-rounds.ts";

const never = new AbortController().signal;

test("each client has the servers in an order of its own, and goes round", async () => {
  const rounds = new ServerRounds([1, 2, 3], { random: () => 0, backOff: { baseMs: 0 } });
  const tried: number[] = [];
  const take = async (count: number) => {
    let left = count;
    await rounds.take(async (server) => (tried.push(server), (left -= 1) === 0), never);
  };
  await take(2);
  await take(3);
  assert.deepEqual(tried, [2, 3, 1, 2, 3]);
});

test("a round without a server, and a server that was not held long, are followed by a wait; one that was is not", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let nowMs = 0;
    const rounds = new ServerRounds(["a", "b"], {
      backOff: { baseMs: 100, random: () => 1 },
      steadyMs: 1000,
      random: () => 0.9,
      now: () => nowMs,
    });
    let tries = 0;
    const settled = async () => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
    };
    const takeAfter = (last: number) => rounds.take(async () => (tries += 1) === last, never);

    const first = takeAfter(3);
    await settled();
    assert.equal(tries, 2, "both were tried at once");
    mock.timers.tick(100);
    await first;
    nowMs = 999;
    const second = takeAfter(4);
    await settled();
    assert.equal(tries, 3, "it was lost early");
    mock.timers.tick(200);
    await second;
    nowMs += 1000;
    await takeAfter(5);
  } finally {
    mock.timers.reset();
  }
});

test("who gives up stops waiting", async () => {
  const giveUp = new AbortController();
  const rounds = new ServerRounds(["a"], { backOff: { baseMs: 1e9, maxMs: 1e9, random: () => 1 } });
  const taking = rounds.take(async () => {
    setImmediate(() => giveUp.abort());
    return false;
  }, giveUp.signal);
  await taking;
});
