import { type HistogramTotals, subtractHistogram } from "@fairlead/stat-cells";
import type { ProxyStats } from "./server-stats.ts";
import { isGauge } from "./stat-kind.ts";

/** Counters from zero again, for who looks at them: each is counted by one thread alone, that nobody else may write to. */
export class CounterBaseline {
  #numbers: ReadonlyMap<string, number> = new Map();
  #histograms: ReadonlyMap<string, HistogramTotals> = new Map();

  /** @param stats as they are counted */
  reset({ numbers, histograms }: ProxyStats): void {
    this.#numbers = new Map([...numbers].filter(([name]) => !isGauge(name)));
    this.#histograms = histograms;
  }

  /** @returns counters and histograms since the last reset; gauges as they are */
  since(stats: ProxyStats): ProxyStats {
    if (this.#numbers.size === 0) return stats;
    return { numbers: this.#numbersSince(stats.numbers), histograms: this.#histogramsSince(stats.histograms) };
  }

  #numbersSince(stats: ReadonlyMap<string, number>): Map<string, number> {
    const since = new Map(stats);
    for (const [name, before] of this.#numbers) {
      const now = stats.get(name);
      // One that is less than it was has begun anew itself.
      if (now !== undefined && now >= before) since.set(name, now - before);
    }
    return since;
  }

  #histogramsSince(histograms: ReadonlyMap<string, HistogramTotals>): Map<string, HistogramTotals> {
    const since = new Map<string, HistogramTotals>();
    for (const [name, now] of histograms) {
      const before = this.#histograms.get(name);
      const totals = before === undefined ? now : subtractHistogram(now, before);
      if (totals.counts.some((count) => count > 0)) since.set(name, totals);
    }
    return since;
  }
}
