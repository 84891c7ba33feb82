import type { Answer, SlotControl, SlotKey, TaskKey } from "@fairlead/slot";
import type { RuntimeLogger } from "../runtime-options.ts";
import { type ApplyAnswer, type ApplyArgument, applyTask } from "./messages.ts";

/** To build the tables of ten thousand services takes a worker a few seconds. */
export const DEFAULT_PATIENCE_MS = 10_000;

/** What the control thread tells all workers. One that hangs holds it up once, and not for ever. */
export class WorkerOrders {
  readonly patienceMs: number;
  readonly #control: SlotControl;
  readonly #logger: RuntimeLogger;
  readonly #onLateAnswer: (answer: ApplyAnswer) => void;

  /** @param onLateAnswer of one that was not waited for when a configuration was applied */
  constructor(
    control: SlotControl,
    patienceMs: number,
    logger: RuntimeLogger,
    onLateAnswer: (answer: ApplyAnswer) => void,
  ) {
    this.#control = control;
    this.patienceMs = patienceMs;
    this.#logger = logger;
    this.#onLateAnswer = onLateAnswer;
  }

  /** @param workMs what it may take besides, of which threads that do other work meanwhile need not tell */
  async run<Argument>(task: TaskKey<Argument, void>, argument: Argument, workMs = 0): Promise<void> {
    await this.#control.runOnAllWorkers(task, argument, { patienceMs: workMs + this.patienceMs });
  }

  /** @returns what those say that have answered in time */
  async apply(argument: ApplyArgument): Promise<readonly ApplyAnswer[]> {
    const onLateAnswer = ({ result, failure }: Answer): void => {
      const answer = result as ApplyAnswer | undefined;
      const reasons = failure === undefined ? (answer?.rejections ?? []) : [failure];
      // The others have it in force already.
      if (reasons.length > 0) this.#logger.error({ typeUrl: argument.typeUrl, reasons }, "a late worker refuses it");
      if (answer !== undefined) this.#onLateAnswer(answer);
    };
    return await this.#control.runOnAllWorkers(applyTask, argument, { patienceMs: this.patienceMs, onLateAnswer });
  }

  /** Nobody waits for it. */
  set<Payload>(slot: SlotKey<Payload>, payload: Payload, what: string): void {
    this.#control.set(slot, payload).catch((error: unknown) => {
      this.#logger.error({ err: error }, `workers were not told ${what}`);
    });
  }
}
