import { isGauge } from "./stat-kind.ts";

/** Counters from zero again, for who looks at them: each is counted by one thread alone, that nobody else may write to. */
export class CounterBaseline {
  #baseline: ReadonlyMap<string, number> = new Map();

  /** @param stats as they are counted */
  reset(stats: ReadonlyMap<string, number>): void {
    this.#baseline = new Map([...stats].filter(([name]) => !isGauge(name)));
  }

  /** @returns counters since the last reset; gauges as they are */
  since(stats: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    if (this.#baseline.size === 0) return stats;
    const since = new Map(stats);
    for (const [name, before] of this.#baseline) {
      const now = stats.get(name);
      // One that is less than it was has begun anew itself.
      if (now !== undefined && now >= before) since.set(name, now - before);
    }
    return since;
  }
}
