import type { Answer, Patience, SlotControl, SlotKey, TaskKey, WorkerLink } from "@fairlead/slot";
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

  /** Those that are late are not told. @returns what those say that have answered in time */
  async apply(argument: ApplyArgument): Promise<readonly ApplyAnswer[]> {
    return await this.#control.runOnAllWorkers(applyTask, argument, this.#patience(argument.typeUrl));
  }

  /** What the others have in force. */
  async applyIn(worker: WorkerLink, argument: ApplyArgument): Promise<void> {
    const { typeUrl } = argument;
    const answer = await worker.run(applyTask, argument, this.#patience(typeUrl));
    if (answer !== undefined) this.#take(typeUrl, answer);
  }

  #patience(typeUrl: string): Patience {
    const onLateAnswer = ({ result, failure }: Answer): void => {
      if (failure === undefined) this.#take(typeUrl, result as ApplyAnswer);
      else this.#noteRefused(typeUrl, [failure]);
    };
    return { patienceMs: this.patienceMs, onLateAnswer, withhold: true };
  }

  #take(typeUrl: string, answer: ApplyAnswer): void {
    if (answer.rejections.length > 0) this.#noteRefused(typeUrl, answer.rejections);
    this.#onLateAnswer(answer);
  }

  #noteRefused(typeUrl: string, reasons: readonly unknown[]): void {
    this.#logger.error({ typeUrl, reasons }, "a worker refuses what the others have in force");
  }

  /** Nobody waits for it. */
  set<Payload>(slot: SlotKey<Payload>, payload: Payload, what: string): void {
    this.#control.set(slot, payload).catch((error: unknown) => {
      this.#logger.error({ err: error }, `workers were not told ${what}`);
    });
  }
}
