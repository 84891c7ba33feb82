import { setTimeout as pause } from "node:timers/promises";
import type { BenchRun } from "../bench-run.ts";
import { machineMs } from "../clock.ts";
import type { PublishedChange } from "../changes.ts";
import { markers } from "../marker.ts";
import type { Quantiles } from "../quantiles.ts";

export interface SteadyChanges {
  readonly changes: number;
  readonly seconds: number;
  /** Commits of the compiler: it takes changes that wait together. */
  readonly commits: number;
  /** Responses with endpoints that a proxy got. */
  readonly pushesPerProxy: number;
  /** ms from the POST of a change to the ACK of a response that has it or a later one, over changes and proxies. */
  readonly lag: Quantiles;
  /** ms from the last change's POST until all proxies had ACKed the final state. */
  readonly settledMs: number;
  /** All proxies have the last mark of each marker. */
  readonly finalStateEqual: boolean;
  /** Share of one core that the gateway took. */
  readonly gatewayCores: number;
  readonly compilerCores: number;
}

/** Changes at a fixed rate, whether or not earlier ones have arrived. */
export async function measureSteadyChanges(
  { controlPlane, commits, changes, load, progress }: BenchRun,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<SteadyChanges> {
  const { gateway, compiler } = controlPlane;
  const before = (await load.ask("state", null)).counters;
  await load.ask("summary", null);
  commits.take();
  const [cpu, compilerCpu] = [gateway.cpuSeconds(), compiler.cpuSeconds()];
  const began = machineMs();
  const made: Promise<PublishedChange>[] = [];
  const count = perSecond * seconds;
  for (let index = 0; index < count; index += 1) {
    progress(`change ${index + 1} of ${count}, ${perSecond} a second`);
    made.push(changes.make(index % markers));
    await pause(Math.max(0, began + ((index + 1) * 1000) / perSecond - machineMs()));
  }
  const lastOfEach = (await Promise.all(made)).slice(-markers);
  for (const change of lastOfEach) await changes.everywhere(load, change);
  const ended = machineMs();
  const elapsedSeconds = (ended - began) / 1000;
  const { counters, good, marks } = await load.ask("state", null);
  const { each } = await load.ask("summary", null);
  return {
    changes: count,
    seconds,
    commits: commits.take().length,
    pushesPerProxy: (counters.endpointResponses - before.endpointResponses) / good,
    lag: each,
    settledMs: ended - Math.max(...lastOfEach.map(({ askedMs }) => askedMs)),
    finalStateEqual: marks.every((seen, marker) => seen.length === 1 && seen[0] === changes.marks[marker]),
    gatewayCores: (gateway.cpuSeconds() - cpu) / elapsedSeconds,
    compilerCores: (compiler.cpuSeconds() - compilerCpu) / elapsedSeconds,
  };
}
