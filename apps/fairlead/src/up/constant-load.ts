import type { CallOutcome } from "./outbound-caller.ts";

export interface LoadOptions {
  readonly call: () => Promise<CallOutcome>;
  readonly callsPerSecond: number;
  /** What answers are counted by, e.g. the version that served them. */
  readonly label: (outcome: CallOutcome) => string;
}

export interface LoadSummary {
  readonly calls: number;
  readonly failures: number;
  /** The first few failures, in words. */
  readonly examples: readonly string[];
  /** Successful calls by label. */
  readonly served: ReadonlyMap<string, number>;
}

/** More calls are not begun while so many wait for their answer: a mesh that hangs must not fill the memory. */
const maxUnderWay = 256;
const maxExamples = 5;

interface Tally {
  calls: number;
  failures: number;
  examples: string[];
  served: Map<string, number>;
}
const emptyTally = (): Tally => ({ calls: 0, failures: 0, examples: [], served: new Map() });

/** Calls at a constant rate, whatever the answers take: a pause of the mesh shows as failures, not as fewer calls. */
export class ConstantLoad {
  readonly #options: LoadOptions;
  readonly #underWay = new Set<Promise<void>>();
  #tally = emptyTally();
  #timer: NodeJS.Timeout | undefined;
  #began = 0;
  #begun = 0;
  #settled = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Calls that have been answered, or have failed, since the start. */
  get settled(): number {
    return this.#settled;
  }

  start(): void {
    this.#began = performance.now();
    this.#timer = setInterval(() => this.#catchUp(), Math.max(1, Math.min(50, 1000 / this.#options.callsPerSecond)));
  }

  /** The counts since the last call of this function. */
  take(): LoadSummary {
    const summary = this.#tally;
    this.#tally = emptyTally();
    return summary;
  }

  /** Begins no further call; resolves with the counts when all under way are answered. */
  async stop(): Promise<LoadSummary> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    return this.take();
  }

  #catchUp(): void {
    const due = ((performance.now() - this.#began) / 1000) * this.#options.callsPerSecond;
    while (this.#begun < due) {
      this.#begun += 1;
      if (this.#underWay.size < maxUnderWay) this.#begin();
      else this.#fail("not sent: too many calls wait for their answer");
    }
  }

  #begin(): void {
    const work = this.#options.call().then((outcome) => {
      this.#underWay.delete(work);
      if (outcome.status !== 200)
        return this.#fail(`${outcome.status === 0 ? "no answer" : outcome.status} ${outcome.body.slice(0, 200)}`);
      this.#settled += 1;
      this.#tally.calls += 1;
      const label = this.#options.label(outcome);
      this.#tally.served.set(label, (this.#tally.served.get(label) ?? 0) + 1);
    });
    this.#underWay.add(work);
  }

  #fail(reason: string): void {
    this.#settled += 1;
    this.#tally.calls += 1;
    this.#tally.failures += 1;
    if (this.#tally.examples.length < maxExamples) this.#tally.examples.push(reason);
  }
}
