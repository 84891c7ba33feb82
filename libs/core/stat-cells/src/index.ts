export { cellBacked } from "./cell-backed.ts";
export { cellsOf, type StatClass } from "./cell-layout.ts";
export {
  type CommonCells,
  commonCells,
  commonGauges,
  type CommonCellShare,
  CommonCellsOfControl,
  CommonCellsOfThread,
} from "./common-cells.ts";
export { CommonGauges } from "./common-gauges.ts";
export { Histogram, type HistogramTotals } from "./histogram.ts";
export { bucketBoundsMs } from "./histogram-buckets.ts";
export { addHistograms, quantileMs, subtractHistogram } from "./histogram-totals.ts";
export { NamedCounts } from "./named-counts.ts";
export { NumberedCounts } from "./numbered-counts.ts";
export { StatBlock, type StatBlockShare } from "./stat-block.ts";
export { SharedStats, SharedStatsOfThread } from "./shared-stats.ts";
export { localStats, type StatStore } from "./stat-store.ts";
export { histogramsOf, numbersOf, totalOf } from "./totals.ts";
