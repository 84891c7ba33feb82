import assert from "node:assert/strict";
import { ByteChain } from "../byte-chain.ts";
import type { Slab } from "../slab.ts";
import { SlotPool, type SlotPoolOptions } from "../slot-pool.ts";

/** A pool, and references, that know who holds them. */
export interface LeakCheck {
  readonly pool: SlotPool;
  /** A chain on the pool. */
  readonly chain: () => ByteChain;
  /** Adds bytes by reference, and expects that they are let go. */
  readonly addReference: (chain: ByteChain, bytes: Buffer) => void;
}

/**
 * Runs a test and fails when something that it has taken was not given back, with the place where it was taken.
 *
 * @throws AssertionError
 */
export async function withLeakCheck<T>(
  run: (check: LeakCheck) => T | Promise<T>,
  options: SlotPoolOptions = {},
): Promise<T> {
  const held = new Map<object, string>();
  const take = (what: object, kind: string): void =>
    void held.set(what, `${kind}, taken${new Error().stack?.split("\n").slice(3).join("\n")}`);
  const pool = new SlotPool({
    ...options,
    watch: {
      taken: (slab: Slab) => take(slab, `a slot of ${slab.bytes.length} bytes`),
      given: (slab: Slab) => void held.delete(slab),
    },
  });
  const result = await run({
    pool,
    chain: () => new ByteChain({ pool }),
    addReference(chain, bytes) {
      const reference = {};
      take(reference, `a reference to ${bytes.length} bytes`);
      chain.addReference(bytes, () => assert.ok(held.delete(reference), "a reference was let go twice"));
    },
  });
  const leaks = [...held.values()];
  assert.equal(leaks.length, 0, `${leaks.length} were not given back:\n${leaks.slice(0, 5).join("\n")}`);
  return result;
}
