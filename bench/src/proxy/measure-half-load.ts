import { BenchSite } from "./bench-site.ts";
import type { Contender } from "./contenders/contender.ts";
import { median } from "./median.ts";
import { closedLoop } from "./load/closed-loop.ts";
import { openLoop } from "./load/open-loop.ts";
import type { ProxyCase } from "./proxy-case.ts";

export interface HalfLoad {
  /** Requests a second: half of what the proxy can. */
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly directP50Us: number;
  readonly directP99Us: number;
}

/** What each proxy adds to the time of a request when it is half busy, beside the same rate without a proxy. */
export async function measureHalfLoad(
  what: ProxyCase,
  contenders: readonly Contender[],
  pace: { readonly rounds: number; readonly seconds: number; readonly requests: number },
  progress: (line: string) => void,
): Promise<ReadonlyMap<string, HalfLoad>> {
  await using site = await BenchSite.start(what);
  const found = new Map<string, HalfLoad>();
  const { connections } = what;
  for (const contender of contenders.filter((one) => one.takes(what))) {
    await site.add(contender, { clusters: 0, endpointsOfEach: 0 });
    const proxied = site.clientOf(site.proxies.get(contender.name)!.port);
    const direct = site.clientOf(site.backendPort);
    await closedLoop(proxied, connections, pace.requests);
    const most = pace.requests / (await closedLoop(proxied, connections, pace.requests)).seconds;
    const rate = most / 2;
    const rounds: Omit<HalfLoad, "rate">[] = [];
    for (let round = 0; round < pace.rounds; round += 1) {
      const without = await openLoop(direct, connections, rate, pace.seconds);
      const through = await openLoop(proxied, connections, rate, pace.seconds);
      const at = (sorted: Float64Array, share: number): number => sorted[Math.floor(sorted.length * share)]!;
      rounds.push({
        p50Us: at(through, 0.5),
        p99Us: at(through, 0.99),
        directP50Us: at(without, 0.5),
        directP99Us: at(without, 0.99),
      });
    }
    const of = (pick: (round: Omit<HalfLoad, "rate">) => number): number => median(rounds.map(pick));
    const result = { rate, p50Us: of((r) => r.p50Us), p99Us: of((r) => r.p99Us), directP50Us: of((r) => r.directP50Us), directP99Us: of((r) => r.directP99Us) }; // prettier-ignore
    found.set(contender.name, result);
    progress(
      `half-load  ${contender.name}: ${Math.round(rate)} requests/s, p99 ${Math.round(result.p99Us)} µs, without it ${Math.round(result.directP99Us)} µs`,
    );
  }
  return found;
}
