export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  readonly mean: number;
  /** Per hour, of the line that fits best (least squares). */
  readonly slopePerHour: number;
  /** What that line gains from the first point to the last, as a share of the mean. */
  readonly growth: number;
}

export function trendOf(points: readonly Point[]): Trend {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last)
    return { mean: first?.value ?? 0, slopePerHour: 0, growth: 0 };
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = meanOf(points.map(({ atMs }) => atMs));
  const mean = meanOf(points.map(({ value }) => value));
  const covariance = points.reduce((sum, point) => sum + (point.atMs - at) * (point.value - mean), 0);
  const variance = points.reduce((sum, point) => sum + (point.atMs - at) ** 2, 0);
  const slopePerMs = covariance / variance;
  return { mean, slopePerHour: slopePerMs * 3_600_000, growth: (slopePerMs * (last.atMs - first.atMs)) / mean };
}
