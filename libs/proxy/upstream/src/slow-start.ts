/** How a new host gets its share little by little, so that caches and JIT can warm up. */
export interface SlowStart {
  /** How long it takes; 0 = off. @default 0 */
  readonly windowMs: number;
  /** 1 = linear; more: faster at first. @default 1 */
  readonly aggression: number;
  /** The share at the start, of its weight. @default 10 */
  readonly minWeightPercent: number;
}

/** Envoy's formula: weight × max(min, (time / window)^(1 / aggression)). @returns a factor up to 1 */
export function slowStartFactor(options: SlowStart, sinceReadyMs: number): number {
  if (options.windowMs === 0 || sinceReadyMs >= options.windowMs) return 1;
  const progress = (Math.max(sinceReadyMs, 1) / options.windowMs) ** (1 / options.aggression);
  return Math.max(progress, options.minWeightPercent / 100, 0.0001);
}
