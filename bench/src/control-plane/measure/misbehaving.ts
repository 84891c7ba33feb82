import { setTimeout as pause } from "node:timers/promises";
import type { BenchRun } from "../bench-run.ts";
import { LoadClient } from "../load-client.ts";
import type { Variant } from "../load/variant.ts";
import { median } from "../quantiles.ts";
import { measureSingleChanges, type SingleChanges } from "./single-changes.ts";

export interface MisbehavingOptions {
  /** Proxies that behave, those of the run's load. */
  readonly good: number;
  readonly silent: number;
  readonly refusing: number;
  readonly variant: Variant;
  /** Blocks of changes without them, and as many with them, in turns. */
  readonly blocks: number;
  readonly changesPerBlock: number;
}

export interface Misbehaving extends MisbehavingOptions {
  /** Medians over the blocks: ms from POST /pub to the last ACK of the proxies that behave. */
  readonly withoutMs: number;
  readonly withMs: number;
  /** Median of the blocks' ratios, each of a block with them and the block before it without. */
  readonly ratio: number;
  /** The same of the gateway's CPU time. */
  readonly cpuRatio: number;
  readonly nacks: number;
}

const quietMs = 300;

/** Resolves when the refusing ones have been sent everything, and have refused it. */
async function settled(load: LoadClient): Promise<void> {
  for (let last = -1; ;) {
    const { responses } = (await load.ask("state", null)).counters;
    if (responses === last) return;
    last = responses;
    await pause(quietMs);
  }
}

/** The same proxies converge, with and without others that never read or refuse everything. */
export async function measureMisbehaving(run: BenchRun, options: MisbehavingOptions): Promise<Misbehaving> {
  const { silent, refusing, variant, blocks, changesPerBlock: changes } = options;
  const streams = silent + refusing;
  const size = { port: run.controlPlane.grpcPort, variant, streams, connections: 0 };
  const shares = { silentShare: silent / streams, refusingShare: refusing / streams };
  const without: SingleChanges[] = [];
  const withThem: SingleChanges[] = [];
  let nacks = 0;
  for (let block = 0; block < blocks; block += 1) {
    without.push(await measureSingleChanges(run, { changes }));
    {
      await using others = LoadClient.start();
      await others.ask("open", { ...size, ...shares, deadlineMs: 60_000 });
      await settled(others);
      withThem.push(await measureSingleChanges(run, { changes }));
      nacks += (await others.ask("state", null)).counters.nacks;
    }
    await pause(quietMs);
  }
  const lastAckMs = (measured: SingleChanges) => measured.fromRequest.p50;
  const ratios = (of: (measured: SingleChanges) => number) =>
    withThem.map((measured, block) => of(measured) / of(without[block]!));
  return {
    ...options,
    withoutMs: median(without.map(lastAckMs)),
    withMs: median(withThem.map(lastAckMs)),
    ratio: median(ratios(lastAckMs)),
    cpuRatio: median(ratios(({ gatewayCpuSeconds }) => gatewayCpuSeconds)),
    nacks,
  };
}
