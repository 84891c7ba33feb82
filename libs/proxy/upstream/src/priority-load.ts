/** The hosts of one priority, counted. */
export interface PriorityHealth {
  readonly total: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Of the total: those that asked not to be counted on. @default 0 */
  readonly excluded?: number;
}

/** Who gets how much of the load, in percent: 100 in all, or 0 when there is no host. */
export interface PriorityLoad {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  /** Too few hosts are usable: all of the priority are taken. */
  readonly panic: readonly boolean[];
}

/**
 * Envoy's distribution: a priority gets what it can take, 1.4 (the overprovisioning factor) times its share of healthy hosts;
 * what is left spills to the next; what no healthy host can take goes to degraded ones in the same way.
 *
 * @param overprovisioning in percent
 */
export function priorityLoads(
  levels: readonly PriorityHealth[],
  overprovisioning: number,
  panicPercent: number,
): PriorityLoad {
  const share = (count: number, total: number): number =>
    total === 0 ? 0 : Math.min(100, Math.trunc((count * overprovisioning) / total));
  const counted = levels.map(({ total, excluded = 0 }) => total - excluded);
  const healthy = levels.map((level, p) => share(level.healthy, counted[p]!));
  const degraded = levels.map((level, p) => share(level.degraded, counted[p]!));
  const available = Math.min(100, sum(healthy) + sum(degraded));
  // Spillover covers what is missing: no panic while the whole is available.
  const panic = levels.map(
    (level, p) => available < 100 && level.total > 0 && usablePercent(level, counted[p]!) < panicPercent,
  );
  const present = levels.map((level) => level.total > 0);
  if (levels.every((_level, p) => !present[p] || panic[p])) return totalPanic(levels, panic);
  if (available === 0) {
    // Nothing is usable and panic is switched off: the first one says so.
    return { healthy: levels.map((_level, p) => (p === 0 ? 100 : 0)), degraded: levels.map(() => 0), panic };
  }
  let left = 100;
  const take = (value: number): number => {
    const load = Math.min(left, Math.trunc((value * 100) / available));
    left -= load;
    return load;
  };
  const healthyLoad = healthy.map(take);
  const degradedLoad = degraded.map(take);
  // What rounding left over.
  const first = healthyLoad.findIndex((load) => load > 0);
  if (first !== -1) healthyLoad[first] = (healthyLoad[first] ?? 0) + left;
  else {
    const of = degradedLoad.findIndex((load) => load > 0);
    if (of !== -1) degradedLoad[of] = (degradedLoad[of] ?? 0) + left;
  }
  return { healthy: healthyLoad, degraded: degradedLoad, panic };
}

function usablePercent({ healthy, degraded }: PriorityHealth, counted: number): number {
  return counted === 0 ? 0 : ((healthy + degraded) * 100) / counted;
}

/** By the number of hosts: there is nothing better to go by. */
function totalPanic(levels: readonly PriorityHealth[], panic: readonly boolean[]): PriorityLoad {
  const hosts = sum(levels.map((level) => level.total));
  const loads = levels.map((level) => (hosts === 0 ? 0 : Math.trunc((level.total * 100) / hosts)));
  const first = loads.findIndex((load) => load > 0);
  if (first !== -1) loads[first] = (loads[first] ?? 0) + 100 - sum(loads);
  return { healthy: loads, degraded: levels.map(() => 0), panic };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
