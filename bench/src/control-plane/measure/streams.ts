import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { BenchRun } from "../bench-run.ts";
import type { InspectedProcess } from "../inspected-process.ts";
import type { Variant } from "../load/variant.ts";
import { LoadClient } from "../load-client.ts";
import type { Quantiles } from "../quantiles.ts";
import { measureMemory, type MemoryPerStream, perStream } from "./memory.ts";
import { measureReconnects, type Reconnects } from "./reconnects.ts";
import { measureSingleChanges, type SingleChanges } from "./single-changes.ts";
import { measureSteadyChanges, type SteadyChanges } from "./steady-changes.ts";

export interface StreamsOptions {
  readonly streams: number;
  readonly variant: Variant;
  readonly connections: number;
  readonly changes: number;
  /** @default as long as it takes */
  readonly changesBudgetMs?: number;
  /** undefined: no steady changes and no reconnects. */
  readonly steady: { readonly perSecond: number; readonly seconds: number } | undefined;
  /** Writes profiles of the gateway into the working directory; they take CPU time themselves. */
  readonly profile: boolean;
}

/** All that is measured with a number of streams. */
export interface StreamsResult {
  readonly streams: number;
  readonly variant: Variant;
  /** ms from the first connect until a proxy had ACKed everything. */
  readonly coldStart: Quantiles;
  readonly coldStartSentMiB: number;
  readonly coldStartGatewayCpuSeconds: number;
  readonly memory: MemoryPerStream;
  readonly single: SingleChanges;
  readonly steady: SteadyChanges | undefined;
  readonly reconnects: Reconnects | undefined;
}

const deadlineMs = 300_000;

/** Measures a gateway that was just started, and has no stream yet. */
export async function measureStreams(
  run: Omit<BenchRun, "load">,
  { streams, variant, connections, changes: count, changesBudgetMs = Infinity, steady, profile }: StreamsOptions,
): Promise<StreamsResult> {
  const { controlPlane, changes, progress } = run;
  const { gateway, grpcPort: port } = controlPlane;
  await using load = LoadClient.start();
  const profiled = async <T>(what: string, measure: () => Promise<T>) =>
    profile ? await withProfile(gateway, `gateway-${streams}-${what}`, measure) : await measure();
  try {
    const without = await measureMemory(gateway);
    const cpu = gateway.cpuSeconds();
    progress("proxies connect");
    const size = { port, variant, streams, connections, silentShare: 0, refusingShare: 0 };
    const coldStart = await profiled("cold-start", async () => await load.ask("open", { ...size, deadlineMs }));
    const { counters } = await load.ask("state", null);
    await pause(500);
    const coldStartGatewayCpuSeconds = gateway.cpuSeconds() - cpu;
    const memory = perStream(without, await measureMemory(gateway), streams);
    changes.follow(load);
    const bench = { ...run, load };
    return {
      streams,
      variant,
      coldStart,
      coldStartSentMiB: counters.bytes / 2 ** 20,
      coldStartGatewayCpuSeconds,
      memory,
      single: await profiled(
        "changes",
        async () => await measureSingleChanges(bench, { changes: count, budgetMs: changesBudgetMs }),
      ),
      steady: steady && (await measureSteadyChanges(bench, steady)),
      reconnects: steady && (await measureReconnects(bench)),
    };
  } finally {
    changes.follow();
  }
}

async function withProfile<T>(service: InspectedProcess, name: string, measure: () => Promise<T>): Promise<T> {
  const inspector = await service.inspector();
  await inspector.startProfile();
  const result = await measure();
  writeFileSync(`${name}.cpuprofile`, await inspector.stopProfile());
  return result;
}
