import { stolenSeconds } from "../os-process.ts";
import type { Running } from "../running.ts";
import { BenchSite } from "./bench-site.ts";
import type { Contender } from "./contenders/contender.ts";
import type { ConnectClient } from "./load/load-client.ts";
import { closedLoop } from "./load/closed-loop.ts";
import { openLoop } from "./load/open-loop.ts";
import { median } from "./median.ts";
import type { ProxyCase } from "./proxy-case.ts";

export interface HalfLoad {
  /** Requests a second, of all alike: half a core of the first contender. */
  readonly rate: number;
  /** All that were run. */
  readonly rounds: number;
  /** Those that count, in which the hypervisor took the least. */
  readonly calmRounds: number;
  /** What it took of a core in the worst of them. */
  readonly stolenShare: number;
  /** Without a proxy. */
  readonly direct: Latency;
  readonly proxies: ReadonlyMap<string, AddedLatency>;
}

interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface AddedLatency extends Latency {
  /** Of a core. */
  readonly cpuShare: number;
  /** Beside the same rate without a proxy, in the same round. */
  readonly addedP50Us: number;
  readonly addedP99Us: number;
}

interface Round {
  readonly stolenShare: number;
  readonly direct: Latency;
  readonly proxies: ReadonlyMap<string, AddedLatency>;
}

const halfACore = 0.5;
/** Where the search for the rate begins. */
const firstRate = 5000;
const steps = 3;
const stepSeconds = 2;

/** What each proxy adds to the time of a request, with the first one half busy. */
export async function measureHalfLoad(
  what: ProxyCase,
  contenders: readonly Contender[],
  pace: { readonly rounds: number; readonly seconds: number; readonly requests: number },
  progress: (line: string) => void,
): Promise<HalfLoad> {
  await using site = await BenchSite.start(what);
  const { connections } = what;
  const clientOf = ({ port }: Running): ConnectClient => site.clientOf(port);
  for (const contender of contenders.filter((one) => one.takes(what))) {
    await site.add(contender, { clusters: 0, endpointsOfEach: 0 });
    await closedLoop(clientOf(site.proxies.get(contender.name)!), connections, pace.requests);
  }
  const [[firstName, first] = none()] = site.proxies;
  const rate = await rateOfHalfACore(first, clientOf(first), connections);
  progress(`half-load  ${Math.round(rate)} requests/s, half a core of ${firstName}`);
  const rounds: Round[] = [];
  for (let number = 1; number <= pace.rounds; number += 1) {
    const [startMs, stolen] = [performance.now(), stolenSeconds()];
    const direct = latencyOf(await openLoop(site.clientOf(site.backendPort), connections, rate, pace.seconds));
    const added: [string, AddedLatency][] = [];
    for (const [name, proxy] of site.proxies) {
      const [latencies, cpuShare] = await withCpuShare(proxy, () =>
        openLoop(clientOf(proxy), connections, rate, pace.seconds),
      );
      const through = latencyOf(latencies);
      const [addedP50Us, addedP99Us] = [through.p50Us - direct.p50Us, through.p99Us - direct.p99Us];
      added.push([name, { ...through, cpuShare, addedP50Us, addedP99Us }]);
    }
    const stolenShare = ((stolenSeconds() - stolen) * 1000) / (performance.now() - startMs);
    rounds.push({ stolenShare, direct, proxies: new Map(added) });
    const line = added.map(([name, { addedP99Us }]) => `${name} ${Math.round(addedP99Us)} µs`).join(", ");
    progress(
      `half-load  round ${number}/${pace.rounds}  added to p99: ${line}; the hypervisor took ${stolenShare.toFixed(3)} cores`,
    );
  }
  const calm = rounds.toSorted((a, b) => a.stolenShare - b.stolenShare).slice(0, Math.ceil(pace.rounds / 3));
  return {
    rate,
    rounds: rounds.length,
    calmRounds: calm.length,
    stolenShare: calm.at(-1)!.stolenShare,
    direct: middleOf(calm.map(({ direct }) => direct)),
    proxies: new Map(
      [...site.proxies.keys()].map((name) => [name, middleOf(calm.map((round) => round.proxies.get(name)!))]),
    ),
  };
}

function none(): never {
  throw new Error("no contender takes the case of half load");
}

/** What a request costs depends on how many come at once, so that the rate is found step by step. */
async function rateOfHalfACore(proxy: Running, client: ConnectClient, connections: number): Promise<number> {
  let rate = firstRate;
  for (let step = 0; step < steps; step += 1) {
    const [, share] = await withCpuShare(proxy, () => openLoop(client, connections, rate, stepSeconds));
    rate *= halfACore / share;
  }
  return rate;
}

/** @returns what came of the work, and what the proxy took meanwhile, of a core */
async function withCpuShare<T>(proxy: Running, work: () => Promise<T>): Promise<readonly [T, number]> {
  const [startMs, cpuSeconds] = [performance.now(), proxy.cpuSeconds()];
  const result = await work();
  return [result, ((proxy.cpuSeconds() - cpuSeconds) * 1000) / (performance.now() - startMs)];
}

function latencyOf(sorted: Float64Array): Latency {
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)]!;
  return { p50Us: at(0.5), p99Us: at(0.99) };
}

/** Each number is that of its round in the middle. */
function middleOf<T extends { readonly [Key in keyof T]: number }>(rounds: readonly T[]): T {
  const keys = Object.keys(rounds[0]!) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, median(rounds.map((round) => round[key]))])) as T;
}
