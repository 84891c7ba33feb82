/** What a count costs as a field of an object, and in cells that other threads read: `node bench/src/micro/stat-cells.ts`. */
import { readCommandLine } from "@fairlead/lifecycle";
import { NamedCounts, SharedStats, SharedStatsOfThread, type StatClass } from "@fairlead/stat-cells";
import { cpuNsOf, report } from "./measure.ts";

readCommandLine({
  usage:
    "node bench/src/micro/stat-cells.ts\nWhat a count costs as a field of an object, and in cells that other threads read.",
});

const CALLS = 3_000_000;

class Counts {
  a_total = 0;
  b_total = 0;
  c_total = 0;
  d_total = 0;
  e_active = 0;
  f_active = 0;
  readonly named = new NamedCounts(4);
}
/** More classes of counters, as a proxy has them: what is compiled for one must not be slowed by another. */
const others: readonly StatClass<Counts>[] = [
  class extends Counts {},
  class extends Counts {},
  class extends Counts {},
  class extends Counts {},
];

/** As often as a request counts, roughly. */
function count(groups: readonly Counts[], calls: number): void {
  for (let i = 0; i < calls; i++) {
    const one = groups[i & 7]!;
    const other = groups[(i + 3) & 7]!;
    one.a_total++;
    one.b_total++;
    one.e_active++;
    other.c_total++;
    other.d_total++;
    other.f_active++;
    if (one.e_active >= 1e15) one.a_total++;
    one.e_active--;
    other.f_active--;
    one.c_total++;
    other.a_total++;
  }
}

function measure(create: (key: string, type: StatClass<Counts>) => Counts): number {
  // oxlint-disable-next-line no-implied-eval typescript/no-implied-eval -- each way gets code of its own, not what was compiled for the other
  const run = new Function(`return ${count.toString()}`)() as typeof count;
  const groups = Array.from({ length: 8 }, (_group, i) => create(`g${i}`, Counts));
  for (const [i, type] of others.entries())
    count(
      [create(`o${i}`, type)].flatMap((it) => Array(8).fill(it)),
      100_000,
    );
  run(groups, 100_000);
  return cpuNsOf(CALLS, (calls) => run(groups, calls));
}

const shared = new SharedStats(3);
const ofWorker = new SharedStatsOfThread(1, () => undefined);
const fields = measure((_key, type) => new type());
const cells = measure((key, type) => {
  shared.create(key, type);
  ofWorker.add(shared.takeNew());
  return ofWorker.create(key, type);
});
report("10 counts in fields of an object", fields);
report("10 counts in cells that other threads read", cells);
