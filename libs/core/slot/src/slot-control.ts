import { FairleadError } from "@fairlead/errors";
import type { SlotKey, TaskKey } from "./keys.ts";
import type { Answer, Command, SlotPort } from "./messages.ts";
import { LocalMember, type Member, RemoteMember } from "./member.ts";
import type { SlotWorker } from "./slot-worker.ts";
import "./errors.ts";

/** A worker, as long as the control thread counts on it. */
export interface WorkerLink {
  /** Resolves when the worker runs the newest of every slot. @throws FairleadError FL_SLOT_NOT_BUILT */
  readonly ready: Promise<void>;
  /** The worker has ended: nobody waits for it any longer. */
  remove(): void;
}

/**
 * The control thread's side: replaces values and runs tasks in every worker, and knows when all of them have done it.
 *
 * ```
 *   control thread                              worker 1            worker 2
 *   set(clusters, payload) ─ version 7 ──────▶  build, swap    ──▶  build, swap
 *        │ promise                                  │ answer            │ answer
 *        ◀──────────── when all run version 7 ──────┴───────────────────┘
 * ```
 *
 * There is no barrier: for a moment workers differ, and what began with a value keeps it. A worker in this same thread has the
 * new value when `set` returns. Each worker gets what is sent in the order in which it was sent; one that is added later begins
 * with the newest payload of each slot.
 */
export class SlotControl {
  readonly #members = new Map<Member, string>();
  readonly #newest = new Map<string, { version: number; payload: unknown }>();
  readonly #waits = new Map<number, Wait>();
  #sequence = 0;

  get workers(): number {
    return this.#members.size;
  }

  /** @param name for messages, as `worker 2` */
  addWorker(name: string, port: SlotPort): WorkerLink {
    return this.#add(name, new RemoteMember(port, (member, answer) => this.#onAnswer(member, answer)));
  }

  /** A worker in this thread. Payloads are handed to it as they are, not copied. */
  addLocalWorker(name: string, worker: SlotWorker): WorkerLink {
    return this.#add(name, new LocalMember(worker, (member, answer) => this.#onAnswer(member, answer)));
  }

  /** Of the newest payload; 0 when there was none. */
  versionOf(key: SlotKey<unknown>): number {
    return this.#newest.get(key.name)?.version ?? 0;
  }

  /**
   * Replaces a slot's value in every worker.
   *
   * @param payload structured-cloneable, and not altered afterwards
   * @returns resolves when every worker runs it, or something newer
   * @throws FairleadError FL_SLOT_NOT_BUILT when a builder has thrown in a worker; the other workers run it
   */
  async set<Payload>(key: SlotKey<Payload>, payload: Payload): Promise<void> {
    const version = this.versionOf(key) + 1;
    this.#newest.set(key.name, { version, payload });
    await this.#tell(
      [...this.#members.keys()],
      "FL_SLOT_NOT_BUILT",
      `version ${version} of ${key.name}`,
      (sequence) => {
        return { kind: "set", sequence, name: key.name, version, payload };
      },
    );
  }

  /**
   * @param argument structured-cloneable, as the results have to be
   * @returns what each worker has answered, in the order in which they were added, without those that ended meanwhile
   * @throws FairleadError FL_WORKER_TASK_FAILED
   */
  async runOnAllWorkers<Argument, Result>(
    key: TaskKey<Argument, Result>,
    argument: Argument,
  ): Promise<readonly Result[]> {
    const results = await this.#tell([...this.#members.keys()], "FL_WORKER_TASK_FAILED", key.name, (sequence) => {
      return { kind: "run", sequence, name: key.name, argument };
    });
    return results as readonly Result[];
  }

  #add(name: string, member: Member): WorkerLink {
    this.#members.set(member, name);
    const first = [...this.#newest].map(([slot, { version, payload }]) =>
      this.#tell([member], "FL_SLOT_NOT_BUILT", `version ${version} of ${slot}`, (sequence) => {
        return { kind: "set", sequence, name: slot, version, payload };
      }),
    );
    const ready = Promise.all(first).then(() => undefined);
    // Who does not ask whether it is ready is not ended by it.
    ready.catch(() => undefined);
    return { ready, remove: () => this.#remove(member) };
  }

  #remove(member: Member): void {
    if (!this.#members.delete(member)) return;
    member.close();
    for (const [sequence, wait] of this.#waits) {
      if (wait.missing.delete(member)) this.#endIfComplete(sequence, wait);
    }
  }

  #tell(
    members: readonly Member[],
    code: Wait["code"],
    what: string,
    command: (sequence: number) => Command,
  ): Promise<readonly unknown[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly unknown[]>();
    const sequence = ++this.#sequence;
    const wait: Wait = {
      code,
      what,
      missing: new Set(members),
      order: members,
      results: new Map(),
      failures: [],
      resolve,
      reject,
    };
    this.#waits.set(sequence, wait);
    const told = command(sequence);
    for (const member of members) member.send(told);
    this.#endIfComplete(sequence, wait);
    return promise;
  }

  #onAnswer(member: Member, answer: Answer): void {
    const wait = this.#waits.get(answer.sequence);
    if (wait === undefined || !wait.missing.delete(member)) return;
    if (answer.failure === undefined) wait.results.set(member, answer.result);
    else wait.failures.push(`${this.#members.get(member)}: ${answer.failure}`);
    this.#endIfComplete(answer.sequence, wait);
  }

  #endIfComplete(sequence: number, wait: Wait): void {
    if (wait.missing.size > 0 || !this.#waits.delete(sequence)) return;
    if (wait.failures.length === 0) {
      wait.resolve(wait.order.filter((member) => wait.results.has(member)).map((member) => wait.results.get(member)));
      return;
    }
    const message = `${wait.what} has failed in ${wait.failures.length} of ${wait.order.length} workers: ${wait.failures.join("; ")}`;
    wait.reject(new FairleadError(wait.code, message, { facts: { failures: wait.failures } }));
  }
}

interface Wait {
  readonly code: "FL_SLOT_NOT_BUILT" | "FL_WORKER_TASK_FAILED";
  readonly what: string;
  readonly order: readonly Member[];
  readonly missing: Set<Member>;
  readonly results: Map<Member, unknown>;
  readonly failures: string[];
  readonly resolve: (results: readonly unknown[]) => void;
  readonly reject: (error: FairleadError) => void;
}
