import type { Contender } from "./contenders/contender.ts";
import { BenchSite } from "./bench-site.ts";
import { closedLoop } from "./load/closed-loop.ts";
import type { ProxyCase } from "./proxy-case.ts";

export interface Sample {
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly residentMiB: number;
}

/** By contender, a sample a round. */
export type CaseSamples = ReadonlyMap<string, readonly Sample[]>;

export interface Pace {
  readonly rounds: number;
  readonly warmUpRequests: number;
  readonly requests: number;
}

/** All contenders in turns, round by round: what disturbs the machine disturbs each of them. */
export async function measureCase(
  what: ProxyCase,
  contenders: readonly Contender[],
  pace: Pace,
  progress: (line: string) => void,
): Promise<CaseSamples> {
  await using site = await BenchSite.start(what);
  const samples = new Map<string, Sample[]>();
  for (const contender of contenders.filter((one) => one.takes(what))) {
    try {
      await site.add(contender, { clusters: 0, endpointsOfEach: 0 });
      const { port } = site.proxies.get(contender.name)!;
      await closedLoop(site.clientOf(port), what.connections, pace.warmUpRequests);
      samples.set(contender.name, []);
    } catch (error) {
      progress(`${what.id}  ${contender.name}: left out, ${String(error)}`);
      samples.delete(contender.name);
    }
  }
  for (let round = 1; round <= pace.rounds; round += 1) {
    for (const [name, taken] of samples) {
      const proxy = site.proxies.get(name)!;
      const before = proxy.cpuSeconds();
      const { seconds, latenciesUs } = await closedLoop(site.clientOf(proxy.port), what.connections, pace.requests);
      const cpuUs = ((proxy.cpuSeconds() - before) / pace.requests) * 1e6;
      const at = (share: number): number => latenciesUs[Math.floor(pace.requests * share)]!;
      const perSecond = pace.requests / seconds;
      taken.push({ cpuUs, perSecond, p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999), residentMiB: proxy.residentMiB() }); // prettier-ignore
      progress(
        `${what.id}  round ${round}/${pace.rounds}  ${name}: ${cpuUs.toFixed(1)} µs CPU, ${Math.round(perSecond)} requests/s`,
      );
    }
  }
  return samples;
}
