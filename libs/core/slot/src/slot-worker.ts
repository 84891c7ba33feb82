import type { SlotKey, TaskKey } from "./keys.ts";
import type { Answer, Command, SlotPort } from "./messages.ts";

/** A worker's own value of a slot. What began with one value keeps that value in a variable of its own. */
export interface WorkerSlot<Value> {
  readonly value: Value;
  /** Of the payload that the value was built from; 0 before the first. */
  readonly version: number;
}

export interface SlotOptions<Payload, Value> {
  /** What the slot holds before the first payload. */
  readonly initial: Value;
  /**
   * Makes the worker's value; deterministic, as all workers have to come to the same. When it throws, the slot keeps `before`.
   *
   * @param payload shared with the control thread where both are one thread: must not be altered
   */
  build(payload: Payload, before: Value): Value;
}

/** The worker's side: what it does with the payloads and tasks of the control thread. Open everything before `listen`. */
export class SlotWorker {
  readonly #slots = new Map<string, OpenSlot>();
  readonly #tasks = new Map<string, (argument: never) => unknown>();

  /** @throws Error when a slot of that name is open already */
  open<Payload, Value>(key: SlotKey<Payload>, options: SlotOptions<Payload, Value>): WorkerSlot<Value> {
    if (this.#slots.has(key.name)) throw new Error(`slot ${key.name} is open already`);
    const slot = {
      value: options.initial,
      version: 0,
      set(payload: Payload, version: number) {
        slot.value = options.build(payload, slot.value);
        slot.version = version;
      },
    };
    this.#slots.set(key.name, slot);
    return slot;
  }

  /** @param run may answer later; tasks that answer at once are done in the order in which they were asked for */
  handle<Argument, Result>(
    key: TaskKey<Argument, Result>,
    run: (argument: Argument) => Result | Promise<Result>,
  ): void {
    if (this.#tasks.has(key.name)) throw new Error(`task ${key.name} has a handler already`);
    this.#tasks.set(key.name, run);
  }

  /** Does what comes through the port. @returns ends it */
  listen(port: SlotPort): () => void {
    const onMessage = (message: unknown): void => {
      let done: Answer[] | undefined = [];
      for (const command of message as readonly Command[]) {
        this.execute(command, (answer) => {
          if (done === undefined) port.postMessage([answer]);
          else done.push(answer);
        });
      }
      if (done.length > 0) port.postMessage(done);
      done = undefined;
    };
    port.on("message", onMessage);
    return () => void port.off("message", onMessage);
  }

  /** Does one command, and answers once: at once, or later when a task takes its time. */
  execute(command: Command, answer: (answer: Answer) => void): void {
    const { sequence } = command;
    const failed = (error: unknown): void =>
      answer({ sequence, failure: error instanceof Error ? error.message : String(error) });
    let result: unknown;
    try {
      result = command.kind === "set" ? this.#set(command) : this.#run(command);
    } catch (error) {
      failed(error);
      return;
    }
    if (result instanceof Promise) result.then((value) => answer({ sequence, result: value as unknown }), failed);
    else answer({ sequence, result });
  }

  #set(command: Extract<Command, { kind: "set" }>): void {
    const slot = this.#slots.get(command.name);
    if (slot === undefined) throw new Error(`there is no slot ${command.name}`);
    slot.set(command.payload as never, command.version);
  }

  #run(command: Extract<Command, { kind: "run" }>): unknown {
    const task = this.#tasks.get(command.name);
    if (task === undefined) throw new Error(`there is no task ${command.name}`);
    return task(command.argument as never);
  }
}

interface OpenSlot {
  set(payload: never, version: number): void;
}
