import type { Logger } from "@fairlead/logging";
import type { Store } from "@fairlead/store";
import { RepeatedTask } from "./repeated-task.ts";

const intervalMs = 1000;
/** A run that comes later than this is taken for a process that was suspended. */
const suspendedAfterMs = 5000;

export interface StoreMonitorOptions {
  readonly store: Pick<Store, "reachable" | "migrate">;
  readonly logger: Logger;
  /** Monotonic milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** Migrates the database as soon as it can, and knows since when nodes could renew their leases here. */
export class StoreMonitor {
  readonly #store: StoreMonitorOptions["store"];
  readonly #now: () => number;
  readonly #task: RepeatedTask;
  #migrated = false;
  #availableSince: number | undefined;
  #lastRunEnd: number | undefined;

  constructor(options: StoreMonitorOptions) {
    this.#store = options.store;
    this.#now = options.now ?? (() => performance.now());
    this.#task = new RepeatedTask({
      what: "preparing the database",
      intervalMs,
      run: () => this.#check(),
      logger: options.logger,
    });
  }

  /** In the operator's words; undefined when it is there. */
  get trouble(): string | undefined {
    if (this.#availableSince === undefined) return "PostgreSQL";
    return this.#migrated ? undefined : "the database migration";
  }

  /**
   * For how long registrations and renewals could be stored without a break; 0 while they cannot be. A start of this process,
   * an outage of PostgreSQL and a suspension of this process are breaks.
   */
  availableForMs(): number {
    // Whoever asks right after a suspension may come before the check that would see it.
    if (this.#availableSince === undefined || !this.#migrated || this.#suspended()) return 0;
    return this.#now() - this.#availableSince;
  }

  #suspended(): boolean {
    return this.#lastRunEnd !== undefined && this.#now() - this.#lastRunEnd > suspendedAfterMs;
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
  }

  async #check(): Promise<void> {
    const suspended = this.#suspended();
    try {
      if (!(await this.#store.reachable())) {
        this.#availableSince = undefined;
        return;
      }
      if (!this.#migrated) {
        await this.#store.migrate();
        this.#migrated = true;
      }
      if (suspended) this.#availableSince = undefined;
      this.#availableSince ??= this.#now();
    } finally {
      this.#lastRunEnd = this.#now();
    }
  }
}
