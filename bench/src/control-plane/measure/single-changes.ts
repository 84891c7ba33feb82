import { setTimeout as pause } from "node:timers/promises";
import type { BenchRun } from "../bench-run.ts";
import { markers } from "../marker.ts";
import { type Quantiles, quantiles } from "../quantiles.ts";

export interface SingleChanges {
  readonly changes: number;
  /** ms from POST /pub to the ACK of the last proxy, over the changes. */
  readonly fromRequest: Quantiles;
  /** ms from the compiler's commit on the bus to the ACK of the last proxy. */
  readonly fromCommit: Quantiles;
  /** ms from POST /pub to its answer: stored. */
  readonly stored: Quantiles;
  /** Responses that proxies got. */
  readonly pushes: number;
  /** CPU time of the gateway's process, for all of the changes. */
  readonly gatewayCpuSeconds: number;
  /** On the gateway's JavaScript heap, for all of the changes. */
  readonly allocatedBytes: number;
  readonly sentBytes: number;
  /** CPU time of the compiler's process, for all of the changes. */
  readonly compilerCpuSeconds: number;
}

export interface SingleChangesOptions {
  readonly changes: number;
  /** No change is begun after this time, once there were two; one more before them warms up. @default as long as it takes */
  readonly budgetMs?: number;
}

/** Changes before the measured ones: until V8 has optimized what they run. */
const warmUp = 3;
/** More than the debounce's quiet time: each change is a lone one. */
const betweenMs = 250;

/** One endpoint changes, and the next one changes when all proxies have it. */
export async function measureSingleChanges(
  { controlPlane, commits, changes, load, progress }: BenchRun,
  { changes: count, budgetMs = Infinity }: SingleChangesOptions,
): Promise<SingleChanges> {
  const { gateway, compiler } = controlPlane;
  const inspector = await gateway.inspector();
  for (let made = 0; made < (budgetMs === Infinity ? warmUp : 1); made += 1) {
    await pause(betweenMs);
    await changes.everywhere(load, await changes.make(made % markers));
  }
  await pause(betweenMs);
  const fromRequest: number[] = [];
  const fromCommit: number[] = [];
  const stored: number[] = [];
  const [heap, cpu, compilerCpu] = [await inspector.heapUse(), gateway.cpuSeconds(), compiler.cpuSeconds()];
  const { counters } = await load.ask("state", null);
  const began = performance.now();
  for (let made = 0; made < count; made += 1) {
    if (made >= 2 && performance.now() - began > budgetMs) break;
    progress(`change ${made + 1} of ${count}`);
    commits.take();
    const change = await changes.make(made % markers);
    const { max } = await changes.everywhere(load, change);
    const [committedMs = change.askedMs] = commits.take();
    fromRequest.push(max);
    fromCommit.push(max - (committedMs - change.askedMs));
    stored.push(change.storedMs - change.askedMs);
    await pause(betweenMs);
  }
  const after = (await load.ask("state", null)).counters;
  return {
    changes: fromRequest.length,
    fromRequest: quantiles(fromRequest),
    fromCommit: quantiles(fromCommit),
    stored: quantiles(stored),
    pushes: after.responses - counters.responses,
    gatewayCpuSeconds: gateway.cpuSeconds() - cpu,
    allocatedBytes: (await inspector.heapUse()).allocatedBytes - heap.allocatedBytes,
    sentBytes: after.bytes - counters.bytes,
    compilerCpuSeconds: compiler.cpuSeconds() - compilerCpu,
  };
}
