import type { CompileCost } from "./measure/compile-cost.ts";
import type { Misbehaving } from "./measure/misbehaving.ts";
import type { StreamsResult } from "./measure/streams.ts";
import type { BenchOptions } from "./options.ts";

/** All that a run has measured. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly command: string;
  /** Processes that wanted a core at the same time, over the last 15 minutes of the run: those of others, too. */
  readonly loadAverage: number;
  readonly options: BenchOptions;
  readonly streams: readonly StreamsResult[];
  /** The same proxies on a gateway that sends everything to everybody at each change. */
  readonly fullPush: readonly StreamsResult[];
  readonly misbehaving: Misbehaving | undefined;
  readonly compile: readonly CompileCost[];
}
