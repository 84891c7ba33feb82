import { TimerWheel } from "@fairlead/timer-wheel";

/** What may be destroyed once nothing of it is on the stack any more. */
export interface Destroyable {
  destroy(): void;
}

export interface DispatcherOptions {
  /** @default a wheel of its own, which `exit` closes; a wheel that is given stays open */
  readonly wheel?: TimerWheel;
  /** The clock of a wheel of its own. @default performance.now */
  readonly now?: (() => number) | undefined;
  /** Calls the function once, later, from an empty stack. @default setImmediate */
  readonly wakeUp?: (run: () => void) => void;
  /** What a task or a destroy has thrown; the rest of its batch goes on. @default thrown again, from a stack of its own */
  readonly onError?: (error: unknown) => void;
}

/**
 * What one thread has to do next: tasks in the order in which they were posted, then what is to be destroyed.
 *
 * The first task of a batch wakes the loop up once for all of them. What a task posts is of the next batch, so that a task that
 * posts itself does not keep I/O from its turn.
 */
export class Dispatcher {
  /** Its timers. */
  readonly wheel: TimerWheel;
  readonly #ownsWheel: boolean;
  readonly #wakeUp: (run: () => void) => void;
  readonly #onError: (error: unknown) => void;
  readonly #run = (): void => this.#runBatch();
  #tasks: (() => void)[] = [];
  #doomed = new Set<Destroyable>();
  #isAwake = false;
  #hasExited = false;

  constructor(options: DispatcherOptions = {}) {
    this.#ownsWheel = options.wheel === undefined;
    this.wheel = options.wheel ?? new TimerWheel(options.now === undefined ? {} : { now: options.now });
    this.#wakeUp = options.wakeUp ?? setImmediate;
    this.#onError = options.onError ?? throwLater;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** @returns false after `exit`: the task will not run */
  post(task: () => void): boolean {
    if (this.#hasExited) return false;
    this.#tasks.push(task);
    this.#wake();
    return true;
  }

  /**
   * Destroys something after what is on the stack has returned, its own callbacks among it. Asked twice, it is destroyed once.
   * After `exit` nothing of the dispatcher's is on the stack, and it is destroyed at once.
   */
  deferredDelete(it: Destroyable): void {
    if (this.#hasExited) {
      this.#guarded(() => it.destroy());
      return;
    }
    this.#doomed.add(it);
    this.#wake();
  }

  /** Runs what was posted, destroys what was to be destroyed, and stops for good. Not from within a task. */
  exit(): void {
    if (this.#hasExited) return;
    this.#runBatch();
    this.#hasExited = true;
    // What the last batch has posted is dropped, but nothing is left undestroyed.
    this.#tasks = [];
    while (this.#doomed.size > 0) this.#destroyDoomed();
    if (this.#ownsWheel) this.wheel.close();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#wakeUp(this.#run);
  }

  #runBatch(): void {
    if (this.#hasExited) return;
    this.#isAwake = false;
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) this.#guarded(task);
    this.#destroyDoomed();
  }

  #destroyDoomed(): void {
    const doomed = this.#doomed;
    if (doomed.size === 0) return;
    this.#doomed = new Set();
    for (const it of doomed) this.#guarded(() => it.destroy());
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onError(error);
    }
  }
}

function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
