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
  readonly rounds: number;
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
  const direct: Latency[] = [];
  const taken = new Map([...site.proxies.keys()].map((name) => [name, [] as AddedLatency[]]));
  for (let round = 1; round <= pace.rounds; round += 1) {
    const without = latencyOf(await openLoop(site.clientOf(site.backendPort), connections, rate, pace.seconds));
    direct.push(without);
    for (const [name, proxy] of site.proxies) {
      const before = proxy.cpuSeconds();
      const through = latencyOf(await openLoop(clientOf(proxy), connections, rate, pace.seconds));
      taken.get(name)!.push({
        ...through,
        cpuShare: (proxy.cpuSeconds() - before) / pace.seconds,
        addedP50Us: through.p50Us - without.p50Us,
        addedP99Us: through.p99Us - without.p99Us,
      });
    }
    const added = [...taken].map(([name, of]) => `${name} ${Math.round(of.at(-1)!.addedP99Us)} µs`);
    progress(`half-load  round ${round}/${pace.rounds}  added to p99: ${added.join(", ")}`);
  }
  return {
    rate,
    rounds: pace.rounds,
    direct: middleOf(direct),
    proxies: new Map([...taken].map(([name, rounds]) => [name, middleOf(rounds)])),
  };
}

function none(): never {
  throw new Error("no contender takes the case of half load");
}

/** What a request costs depends on how many come at once, so that the rate is found step by step. */
async function rateOfHalfACore(proxy: Running, client: ConnectClient, connections: number): Promise<number> {
  let rate = firstRate;
  for (let step = 0; step < steps; step += 1) {
    const before = proxy.cpuSeconds();
    await openLoop(client, connections, rate, stepSeconds);
    rate *= halfACore / ((proxy.cpuSeconds() - before) / stepSeconds);
  }
  return rate;
}

function latencyOf(sorted: Float64Array): Latency {
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)]!;
  return { p50Us: at(0.5), p99Us: at(0.99) };
}

/** Each number is that of its round in the middle: what a shared machine does besides is in some of them. */
function middleOf<T extends { readonly [Key in keyof T]: number }>(rounds: readonly T[]): T {
  const keys = Object.keys(rounds[0]!) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, median(rounds.map((round) => round[key]))])) as T;
}
