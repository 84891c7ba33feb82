import assert from "node:assert/strict";
import { type PoolCounts, threadPools } from "../pool-registry.ts";

/** Of each pool of this thread. */
function numbersOf(number: (counts: PoolCounts) => number): Readonly<Record<string, number>> {
  return Object.fromEntries([...threadPools.stats()].map(([name, counts]) => [name, number(counts)]));
}

const taken = (): Readonly<Record<string, number>> => numbersOf((counts) => counts.taken);
const takes = (): Readonly<Record<string, number>> => numbersOf(({ created, reused }) => created + reused);

/**
 * Runs something that takes from the pools of this thread, the real ones, and fails when not all of it was given back.
 *
 * @param settle waits until a condition holds: the system, and sockets that close, give back a little later. It throws when that takes too long
 * @returns how often something was taken, by pool
 * @throws AssertionError with the pools, and how much each has lost
 */
export async function withPoolLeakCheck(
  run: () => Promise<void>,
  settle: (condition: () => boolean) => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const before = taken();
  const takesBefore = takes();
  await run();
  const isBack = (): boolean => Object.entries(taken()).every(([name, count]) => count === (before[name] ?? 0));
  await settle(isBack).catch(() => assert.deepEqual(taken(), before, "not all was given back to the pools"));
  return Object.fromEntries(Object.entries(takes()).map(([name, count]) => [name, count - (takesBefore[name] ?? 0)]));
}
