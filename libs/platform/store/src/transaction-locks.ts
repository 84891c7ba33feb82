import type { EntityManager } from "typeorm";

/** What two transactions may not work on at once. The numbers are the first key of PostgreSQL's two-key advisory locks. */
const lockClasses = { node: 1, interface: 2, policies: 3, name: 4 } as const;

/** Locks by name, also for rows that are not there yet; held until the transaction ends. */
export class TransactionLocks {
  readonly #manager: EntityManager;
  readonly #held = new Set<string>();

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  async take(kind: keyof typeof lockClasses, name: string): Promise<void> {
    await this.#take("pg_advisory_xact_lock", kind, name);
  }

  /** Several transactions may hold it so; none of them while another one has taken it alone. */
  async share(kind: keyof typeof lockClasses, name: string): Promise<void> {
    await this.#take("pg_advisory_xact_lock_shared", kind, name);
  }

  async #take(lockFunction: string, kind: keyof typeof lockClasses, name: string): Promise<void> {
    const id = `${lockFunction} ${kind} ${name}`;
    if (this.#held.has(id)) return;
    await this.#manager.query(`SELECT ${lockFunction}($1, hashtext($2))`, [lockClasses[kind], name]);
    this.#held.add(id);
  }
}
