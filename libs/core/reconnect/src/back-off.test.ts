import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BackOff } from "./back-off.ts";

/** The longest delays that the jitter allows, one an attempt. */
function bounds(backOff: BackOff, attempts: number): number[] {
  return Array.from({ length: attempts }, () => backOff.nextMs());
}

describe("BackOff", () => {
  it("doubles up to 5 s, so that a control plane that is back is found within a wait for convergence", () => {
    assert.deepEqual(bounds(new BackOff({ random: () => 1 }), 6), [500, 1000, 2000, 4000, 5000, 5000]);
  });

  it("waits the share that is certain also where chance is against it", () => {
    assert.deepEqual(bounds(new BackOff({ leastShare: 0.5, random: () => 0 }), 3), [250, 500, 1000]);
    assert.deepEqual(bounds(new BackOff({ leastShare: 0.5, random: () => 1 }), 3), [500, 1000, 2000]);
  });

  it("starts again at 1 s after a success that did not last, and at the beginning after a reset", () => {
    const backOff = new BackOff({ random: () => 1 });
    bounds(backOff, 6);
    backOff.ease();
    assert.deepEqual(bounds(backOff, 2), [1000, 2000]);
    backOff.reset();
    backOff.ease();
    assert.deepEqual(bounds(backOff, 2), [500, 1000]);
  });
});
