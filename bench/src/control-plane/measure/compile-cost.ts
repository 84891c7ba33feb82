import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Quantiles } from "../quantiles.ts";

export interface CompileCost {
  readonly services: number;
  readonly endpoints: number;
  /** CPU time of the first round, with everything to be compiled. */
  readonly firstMs: number;
  /** CPU time of a round with one changed endpoint: from the hint to the commit. */
  readonly changeMs: Quantiles;
  /** Entries of the bucket that such a round wrote, beside the head. */
  readonly writes: number;
}

const run = promisify(execFile);
const program = join(import.meta.dirname, "compile-cost-process.ts");

/** The compiler alone, in a process of its own for each size: on a bus and a catalogue in memory, so that no other CPU time is in it. */
export async function measureCompileCost(services: number, endpoints: number, changes: number): Promise<CompileCost> {
  const { stdout } = await run(process.execPath, [program, String(services), String(endpoints), String(changes)], {
    maxBuffer: 2 ** 20,
  });
  return JSON.parse(stdout) as CompileCost;
}
