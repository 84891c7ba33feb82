import { type HistogramTotals, quantileMs } from "@fairlead/stat-cells";

/** In percent: those that Envoy's pages have. */
const quantiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100] as const;

function valuesOf(totals: HistogramTotals): (readonly [quantile: number, ms: number])[] {
  return quantiles.map((quantile) => [quantile, Math.round(quantileMs(totals, quantile / 100) * 1000) / 1000]);
}

/** Envoy's lines: of each quantile what it is lately, which is not kept here, and since the start. */
export function histogramsText(histograms: ReadonlyMap<string, HistogramTotals>): string {
  let text = "";
  for (const [name, totals] of histograms)
    text += `${name}: ${valuesOf(totals)
      .map(([quantile, ms]) => `P${quantile}(nan,${ms})`)
      .join(" ")}\n`;
  return text;
}

/** As it is in Envoy's JSON, behind the last of the numbers. */
export function histogramsJson(histograms: ReadonlyMap<string, HistogramTotals>): object {
  return {
    histograms: {
      supported_quantiles: quantiles,
      computed_quantiles: [...histograms].map(([name, totals]) => ({
        name,
        values: valuesOf(totals).map(([, cumulative]) => ({ interval: null, cumulative })),
      })),
    },
  };
}
