import { setTimeout as pause } from "node:timers/promises";
import { BenchSite } from "./bench-site.ts";
import type { Contender } from "./contenders/contender.ts";
import { closedLoop } from "./load/closed-loop.ts";
import type { ProxyCase } from "./proxy-case.ts";

export const memoryClusters = 500;
export const memoryEndpoints = 10;
const settleMs = 3000;

export interface Memory {
  /** At rest, before the first request. */
  readonly startMiB: number;
  readonly afterLoadMiB: number;
}

/** Resident memory of each proxy with many clusters that nobody calls, and after a load on the one that is called. */
export async function measureMemory(
  what: ProxyCase,
  contenders: readonly Contender[],
  requests: number,
  progress: (line: string) => void,
): Promise<ReadonlyMap<string, Memory>> {
  const found = new Map<string, Memory>();
  for (const contender of contenders) {
    await using site = await BenchSite.start(what);
    await site.add(contender, { clusters: memoryClusters, endpointsOfEach: memoryEndpoints });
    const proxy = site.proxies.get(contender.name)!;
    await pause(settleMs);
    const startMiB = proxy.residentMiB();
    await closedLoop(site.clientOf(proxy.port), what.connections, requests);
    await pause(settleMs);
    const memory = { startMiB, afterLoadMiB: proxy.residentMiB() };
    found.set(contender.name, memory);
    progress(
      `memory  ${contender.name}: ${startMiB.toFixed(0)} MiB at rest, ${memory.afterLoadMiB.toFixed(0)} MiB after ${requests} requests`,
    );
  }
  return found;
}
