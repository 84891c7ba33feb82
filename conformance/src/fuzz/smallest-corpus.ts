import { BlockCoverage } from "./block-coverage.ts";
import { attempt } from "./failure.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

/** Of each outcome that only differs in details the first few are enough. */
const MAX_OUTCOMES = 40;

/** Inputs that run all that the whole corpus runs, or have an outcome of their own: short ones first. */
export function smallestCorpus(target: FuzzTarget, corpus: readonly Buffer[]): Buffer[] {
  using coverage = new BlockCoverage();
  coverage.watch(target.sources);
  const outcomes = new Set<string>();
  const kept: Buffer[] = [];
  for (const input of corpus.toSorted((a, b) => a.length - b.length)) {
    const result = attempt(target.run, input);
    if ("reason" in result) continue;
    const newOutcome = outcomes.size < MAX_OUTCOMES && !outcomes.has(result.outcome);
    outcomes.add(result.outcome);
    if (coverage.look(true) || newOutcome) kept.push(input);
  }
  return kept;
}
