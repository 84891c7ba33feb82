import { FairleadError } from "@fairlead/errors";
import type { SlotKey, TaskKey } from "./keys.ts";
import type { Answer, Command, SlotPort } from "./messages.ts";
import { LateMembers } from "./late-members.ts";
import { LocalMember, type Member, RemoteMember } from "./member.ts";
import type { SlotWorker } from "./slot-worker.ts";
import "./errors.ts";

/** A worker, as long as the control thread counts on it. */
export interface WorkerLink {
  /** Resolves when the worker runs the newest of every slot. @throws FairleadError FL_SLOT_NOT_BUILT */
  readonly ready: Promise<void>;
  /** It owes an answer for longer than it was to be waited for. */
  readonly late: boolean;
  /** Only this one is to do it. @returns what it has answered; undefined when it has ended or is late */
  run<Argument, Result>(
    key: TaskKey<Argument, Result>,
    argument: Argument,
    patience?: Patience,
  ): Promise<Result | undefined>;
  /**
   * After `onBehind`: it is sent everything again, first the newest of every slot that it has missed.
   *
   * @returns false when it is not behind any more, or late once more: then `onBehind` is called again
   */
  resume(): boolean;
  /** The worker has ended: nobody waits for it any longer. */
  remove(): void;
}

/** For how long the control thread waits for the workers' answers. */
export interface Patience {
  /** Then it goes on without those that have not answered. They are late, and not waited for, until they have answered all they owe. */
  readonly patienceMs: number;
  /** One that is late is not sent it: it is told by `onBehind` when it goes on. @default it is sent it, and not waited for */
  readonly withhold?: boolean;
  /** What one has answered that was not waited for any more. */
  readonly onLateAnswer?: (answer: Answer) => void;
}

export interface SlotControlOptions {
  /** How long `set` waits for a worker, which is late then. @default as long as it lives */
  readonly patienceMs?: number;
}

interface Known {
  readonly name: string;
  readonly onBehind: (() => void) | undefined;
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
 * with the newest payload of each slot. One that is late gets no payloads until it has answered what it owes, and then the newest:
 * what waits for it would grow with each of them.
 */
export class SlotControl {
  readonly #patience: Patience | undefined;
  readonly #members = new Map<Member, Known>();
  readonly #newest = new Map<string, { version: number; payload: unknown }>();
  readonly #waits = new Map<number, Wait>();
  readonly #late = new LateMembers();
  #sequence = 0;

  constructor({ patienceMs }: SlotControlOptions = {}) {
    this.#patience = patienceMs === undefined ? undefined : { patienceMs };
  }

  get workers(): number {
    return this.#members.size;
  }

  /**
   * @param name for messages, as `worker 2`
   * @param onBehind it was late and goes on, but tasks were withheld from it: bring it up to date after `resume`
   */
  addWorker(name: string, port: SlotPort, onBehind?: () => void): WorkerLink {
    return this.#add({ name, onBehind }, new RemoteMember(port, (member, answer) => this.#onAnswer(member, answer)));
  }

  /** A worker in this thread. Payloads are handed to it as they are, not copied. */
  addLocalWorker(name: string, worker: SlotWorker): WorkerLink {
    return this.#add(
      { name, onBehind: undefined },
      new LocalMember(worker, (member, answer) => this.#onAnswer(member, answer)),
    );
  }

  /** Of the newest payload; 0 when there was none. */
  versionOf(key: SlotKey<unknown>): number {
    return this.#newest.get(key.name)?.version ?? 0;
  }

  /**
   * Replaces a slot's value in every worker.
   *
   * @param payload structured-cloneable, and not altered afterwards
   * @returns resolves when every worker that is not late runs it, or something newer
   * @throws FairleadError FL_SLOT_NOT_BUILT when a builder has thrown in a worker; the other workers run it
   */
  async set<Payload>(key: SlotKey<Payload>, payload: Payload): Promise<void> {
    const version = this.versionOf(key) + 1;
    this.#newest.set(key.name, { version, payload });
    const members = [...this.#members.keys()].filter((member) => !this.#late.missesSlot(member, key.name));
    await this.#sendNewest(members, key.name, this.#patience);
  }

  /**
   * @param argument structured-cloneable, as the results have to be
   * @param patience @default all are waited for as long as they live
   * @returns what each worker has answered, in the order in which they were added, without those that ended meanwhile or are late
   * @throws FairleadError FL_WORKER_TASK_FAILED
   */
  async runOnAllWorkers<Argument, Result>(
    key: TaskKey<Argument, Result>,
    argument: Argument,
    patience?: Patience,
  ): Promise<readonly Result[]> {
    return await this.#run([...this.#members.keys()], key, argument, patience);
  }

  #add(known: Known, member: Member): WorkerLink {
    this.#members.set(member, known);
    const ready = Promise.all([...this.#newest.keys()].map((slot) => this.#sendNewest([member], slot))).then(
      () => undefined,
    );
    // Who does not ask whether it is ready is not ended by it.
    ready.catch(() => undefined);
    const late = this.#late;
    return {
      ready,
      get late() {
        return late.has(member);
      },
      run: async (key, argument, patience) => (await this.#run([member], key, argument, patience))[0],
      resume: () => {
        if (!late.isBehind(member)) return false;
        this.#resume(member);
        return true;
      },
      remove: () => this.#remove(member),
    };
  }

  async #run<Argument, Result>(
    members: readonly Member[],
    key: TaskKey<Argument, Result>,
    argument: Argument,
    patience: Patience | undefined,
  ): Promise<readonly Result[]> {
    const command = (sequence: number): Command => ({ kind: "run", sequence, name: key.name, argument });
    const withhold = patience?.withhold === true;
    const told = withhold ? members.filter((member) => !this.#late.missesTask(member)) : members;
    return (await this.#tell(told, "FL_WORKER_TASK_FAILED", key.name, command, patience)) as readonly Result[];
  }

  #sendNewest(members: readonly Member[], slot: string, patience?: Patience): Promise<unknown> {
    const { version, payload } = this.#newest.get(slot)!;
    const command = (sequence: number): Command => ({ kind: "set", sequence, name: slot, version, payload });
    return this.#tell(members, "FL_SLOT_NOT_BUILT", `version ${version} of ${slot}`, command, patience);
  }

  /** It is not late any more. */
  #resume(member: Member): void {
    // Nobody asks whether it could build them.
    for (const slot of this.#late.delete(member)) this.#sendNewest([member], slot).catch(() => undefined);
  }

  #remove(member: Member): void {
    if (!this.#members.delete(member)) return;
    member.close();
    this.#late.delete(member);
    for (const [sequence, wait] of this.#waits) {
      if (wait.missing.delete(member)) this.#endIfComplete(sequence, wait);
    }
  }

  #tell(
    members: readonly Member[],
    code: Wait["code"],
    what: string,
    command: (sequence: number) => Command,
    patience?: Patience,
  ): Promise<readonly unknown[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly unknown[]>();
    const sequence = ++this.#sequence;
    const wait: Wait = {
      code,
      what,
      // One that has ended meanwhile answers nothing, and nobody would end the wait for it.
      missing: new Set(members.filter((member) => this.#members.has(member))),
      order: members,
      results: new Map(),
      failures: [],
      resolve,
      reject,
    };
    this.#waits.set(sequence, wait);
    if (patience !== undefined) this.#limit(sequence, wait, patience);
    const told = command(sequence);
    for (const member of members) member.send(told);
    this.#endIfComplete(sequence, wait);
    return promise;
  }

  /** Goes on without those that are late already, and later without those that have become so. */
  #limit(sequence: number, wait: Wait, { patienceMs, onLateAnswer }: Patience): void {
    const leave = (member: Member): void => {
      wait.missing.delete(member);
      this.#late.add(member, sequence, onLateAnswer);
    };
    for (const member of wait.order) if (this.#late.has(member)) leave(member);
    if (wait.missing.size === 0) return;
    wait.timer = setTimeout(() => {
      for (const member of wait.missing) leave(member);
      this.#endIfComplete(sequence, wait);
    }, patienceMs);
  }

  #onAnswer(member: Member, answer: Answer): void {
    const wait = this.#waits.get(answer.sequence);
    if (wait?.missing.delete(member) !== true) {
      this.#onLateAnswer(member, answer);
      return;
    }
    if (answer.failure === undefined) wait.results.set(member, answer.result);
    else wait.failures.push(`${this.#members.get(member)?.name}: ${answer.failure}`);
    this.#endIfComplete(answer.sequence, wait);
  }

  #onLateAnswer(member: Member, answer: Answer): void {
    if (!this.#late.onAnswer(member, answer)) return;
    if (this.#late.isBehind(member)) this.#members.get(member)?.onBehind?.();
    else this.#resume(member);
  }

  #endIfComplete(sequence: number, wait: Wait): void {
    if (wait.missing.size > 0 || !this.#waits.delete(sequence)) return;
    clearTimeout(wait.timer);
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
  /** Of one that is not waited for without an end. */
  timer?: NodeJS.Timeout;
  readonly resolve: (results: readonly unknown[]) => void;
  readonly reject: (error: FairleadError) => void;
}
