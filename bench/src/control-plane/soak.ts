import { setTimeout as pause } from "node:timers/promises";
import { Changes } from "./changes.ts";
import { machineMs } from "./clock.ts";
import { ControlPlane } from "./control-plane.ts";
import type { Variant } from "./load/variant.ts";
import { LoadClient } from "./load-client.ts";
import { markers } from "./marker.ts";
import { measureMemory } from "./measure/memory.ts";
import type { Progress } from "./progress.ts";
import { type Point, type Trend, trendOf } from "./trend.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly streams: number;
  readonly services: number;
  readonly variant: Variant;
  readonly perSecond: number;
}

export interface SoakResult {
  /** Of the gateway after each full collection, in MiB; the first part of the run is left out, V8 and pools grow to their size in it. */
  readonly live: Trend;
  readonly resident: Trend;
  /** The compiler's, likewise. */
  readonly compilerLive: Trend;
  readonly samples: number;
  readonly changes: number;
  /** ms from POST /pub to the last ACK of the proxies that behave: the median of each sample's time. */
  readonly lastAck: Trend;
  /** The longest of all. */
  readonly worstMs: number;
  readonly finalStateEqual: boolean;
  /** Connections and streams of proxies that read, ended by the gateway. */
  readonly lost: number;
  /** Connections of proxies that never read, cut by the gateway. */
  readonly cut: number;
  readonly nacks: number;
}

const silentShare = 0.01;
const refusingShare = 0.05;
const endpoints = 10;
const sampleMs = 5000;
const warmUpShare = 0.3;
const warmUpMs = 60_000;
const finalDeadlineMs = 30_000;

/** Steady changes under proxies of which some never read and some refuse everything. */
export async function soak(options: SoakOptions, progress: Progress): Promise<SoakResult> {
  const { minutes, streams, services, variant, perSecond } = options;
  progress.step(`a mesh of ${services} services × ${endpoints} endpoints`);
  await using controlPlane = await ControlPlane.start({ services, endpoints });
  await using load = LoadClient.start();
  const changes = new Changes(controlPlane);
  await controlPlane.renewGateway("fairlead");
  progress.step(`${streams} streams, of which 1 % never read and 5 % refuse everything, for ${minutes} minutes`);
  const size = { port: controlPlane.grpcPort, variant, streams, connections: 0, silentShare, refusingShare };
  await load.ask("open", { ...size, deadlineMs: 120_000 });
  changes.follow(load);
  const end = machineMs() + minutes * 60_000;
  const making = makeChanges(changes, perSecond, end);
  const samples = await takeSamples(controlPlane, load, end, progress);
  const count = await making;
  const finalStateEqual = await reachesEverybody(changes, load);
  const { counters } = await load.ask("state", null);
  const [first] = samples;
  const steadyFrom = (first?.atMs ?? 0) + Math.max(warmUpMs, minutes * 60_000 * warmUpShare);
  const steady = samples.filter(({ atMs }) => atMs >= steadyFrom);
  const trend = (of: (sample: Sample) => number) =>
    trendOf(steady.map((sample): Point => ({ atMs: sample.atMs, value: of(sample) })));
  return {
    live: trend(({ live }) => live),
    resident: trend(({ resident }) => resident),
    compilerLive: trend(({ compilerLive }) => compilerLive),
    samples: steady.length,
    changes: count,
    lastAck: trend(({ lastAckMs }) => lastAckMs),
    worstMs: Math.max(...samples.map(({ worstMs }) => worstMs)),
    finalStateEqual,
    lost: counters.lost,
    cut: counters.cut,
    nacks: counters.nacks,
  };
}

interface Sample {
  readonly atMs: number;
  readonly live: number;
  readonly resident: number;
  readonly compilerLive: number;
  readonly lastAckMs: number;
  readonly worstMs: number;
}

async function takeSamples(
  { gateway, compiler }: ControlPlane,
  load: LoadClient,
  end: number,
  progress: Progress,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let at = machineMs(); at < end; at = machineMs()) {
    const [memory, compilerMemory] = [await measureMemory(gateway), await measureMemory(compiler)];
    const { last } = await load.ask("summary", null);
    samples.push({
      lastAckMs: last.p50,
      worstMs: last.max,
      atMs: at,
      live: memory.liveMiB,
      resident: memory.residentMiB,
      compilerLive: compilerMemory.liveMiB,
    });
    progress.detail(
      `gateway ${memory.liveMiB.toFixed(1)} MiB live, ${memory.residentMiB.toFixed(1)} MiB resident, last ACK ${last.p50.toFixed(0)} ms, at most ${last.max.toFixed(0)} ms`,
    );
    await pause(Math.max(0, Math.min(sampleMs, end - machineMs())));
  }
  return samples;
}

/** @returns how many there were */
async function makeChanges(changes: Changes, perSecond: number, end: number): Promise<number> {
  const began = machineMs();
  const pending: Promise<unknown>[] = [];
  let count = 0;
  for (; machineMs() < end; count += 1) {
    const making = changes.make(count % markers);
    // Awaited below; without a handler until then, a failure would end the process before it is told.
    making.catch(() => undefined);
    pending.push(making);
    if (pending.length > markers) await pending.shift();
    await pause(Math.max(0, began + ((count + 1) * 1000) / perSecond - machineMs()));
  }
  await Promise.all(pending);
  return count;
}

/** @returns whether all proxies that behave get the last mark of each marker */
async function reachesEverybody(changes: Changes, load: LoadClient): Promise<boolean> {
  for (const deadline = machineMs() + finalDeadlineMs; ; await pause(100)) {
    const { marks } = await load.ask("state", null);
    if (marks.every((seen, marker) => seen.length === 1 && seen[0] === changes.marks[marker])) return true;
    if (machineMs() > deadline) return false;
  }
}
