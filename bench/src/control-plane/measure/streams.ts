import { setTimeout as pause } from "node:timers/promises";
import { Changes } from "../changes.ts";
import type { CommitWatch } from "../commit-watch.ts";
import type { ControlPlane } from "../control-plane.ts";
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
  run: {
    readonly controlPlane: ControlPlane;
    readonly commits: CommitWatch;
    readonly changes: Changes;
    readonly progress: (what: string) => void;
  },
  { streams, variant, connections, changes: count, changesBudgetMs = Infinity, steady }: StreamsOptions,
): Promise<StreamsResult> {
  const { controlPlane, changes, progress } = run;
  const { gateway, grpcPort: port } = controlPlane;
  const load = LoadClient.start();
  try {
    const without = await measureMemory(gateway);
    const cpu = gateway.cpuSeconds();
    progress("proxies connect");
    const size = { port, variant, streams, connections, silentShare: 0, refusingShare: 0 };
    const coldStart = await load.ask("open", { ...size, deadlineMs });
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
      single: await measureSingleChanges(bench, { changes: count, budgetMs: changesBudgetMs }),
      steady: steady && (await measureSteadyChanges(bench, steady)),
      reconnects: steady && (await measureReconnects(bench)),
    };
  } finally {
    changes.follow();
    await load.stop();
  }
}
