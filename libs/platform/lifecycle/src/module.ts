/** A part of a process that is started once and stopped once. */
export interface Module {
  readonly name: string;
  /** Resolves when it does its work; rejects when it cannot, having released what it took. */
  start(): Promise<void>;
  /** Drains and releases. Safe to call after a failed start. */
  stop(): Promise<void>;
}

/** Modules that start in order and stop in reverse. When one cannot start, those before it are stopped again. */
export class ModuleGroup implements Module {
  readonly name: string;
  readonly #members: readonly Module[];
  #started: Module[] = [];

  constructor(name: string, members: readonly Module[]) {
    this.name = name;
    this.#members = members;
  }

  async start(): Promise<void> {
    for (const member of this.#members) {
      try {
        await member.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
      this.#started.push(member);
    }
  }

  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const member of this.#started.splice(0).toReversed()) {
      await member.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${this.name}: ${failures.length} parts did not stop cleanly`);
  }
}
