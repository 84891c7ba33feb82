import type { BlockCoverage } from "./block-coverage.ts";
import { attempt, type Failure } from "./failure.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { Mutator } from "./mutator.ts";
import type { Random } from "./random.ts";

/** A look at the coverage costs as much as some dozens of runs: it is taken for so many at once. */
const BATCH = 256;
/** Kept for their outcome alone, as they add no code that ran. */
const MAX_OUTCOMES = 300;

export interface FuzzerOptions {
  readonly maxBytes: number;
  readonly random: Random;
  /** Told of each input before it runs. */
  readonly begins: (input: Buffer) => void;
}

/** Looks for inputs that run code which none before has run, and for such that break a promise. */
export class Fuzzer {
  readonly corpus: Buffer[] = [];
  executions = 0;
  failure: Failure | undefined;
  readonly #target: FuzzTarget;
  readonly #coverage: BlockCoverage;
  readonly #options: FuzzerOptions;
  readonly #mutator: Mutator;
  readonly #outcomes = new Set<string>();

  constructor(target: FuzzTarget, coverage: BlockCoverage, options: FuzzerOptions) {
    this.#target = target;
    this.#coverage = coverage;
    this.#options = options;
    this.#mutator = new Mutator(options.random, target.dictionary, options.maxBytes);
  }

  /** Inputs that are known: all of them stay. */
  start(seeds: readonly Buffer[]): void {
    for (const seed of seeds) {
      if (this.#run(seed)) this.corpus.push(seed);
      this.#coverage.look(true);
    }
  }

  /** One batch of new inputs. @returns false once a promise is broken */
  step(): boolean {
    const inputs: Buffer[] = [];
    const { random } = this.#options;
    for (let i = 0; i < BATCH; i++) {
      // Those that were found last are looked at more often.
      const at = Math.max(random.below(this.corpus.length), random.below(this.corpus.length));
      inputs.push(this.#mutator.mutate(this.corpus[at] ?? Buffer.alloc(0), random.pick(this.corpus)));
    }
    for (const input of inputs) if (!this.#run(input)) return false;
    if (this.#coverage.look(false)) this.#isolate(inputs);
    return true;
  }

  /** Which of them was it: by halves. */
  #isolate(inputs: readonly Buffer[]): void {
    for (const input of inputs) this.#run(input);
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined) {
      if (this.#coverage.look(true)) this.corpus.push(only);
    } else if (inputs.length > 1 && this.#coverage.look(false)) {
      const half = inputs.length >> 1;
      this.#isolate(inputs.slice(0, half));
      this.#isolate(inputs.slice(half));
    }
  }

  #run(input: Buffer): boolean {
    this.executions++;
    this.#options.begins(input);
    const result = attempt(this.#target.run, input);
    if ("reason" in result) {
      this.failure ??= result;
      return false;
    }
    if (!this.#outcomes.has(result.outcome) && this.#outcomes.size < MAX_OUTCOMES) {
      this.#outcomes.add(result.outcome);
      this.corpus.push(input);
    }
    return true;
  }
}
