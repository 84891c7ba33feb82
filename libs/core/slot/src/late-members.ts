import type { Member } from "./member.ts";
import type { Answer } from "./messages.ts";

type OnLateAnswer = (answer: Answer) => void;

interface Late {
  /** By sequence. */
  readonly owed: Map<number, OnLateAnswer | undefined>;
  readonly missedSlots: Set<string>;
  missedTasks: boolean;
}

/**
 * Who has not answered in time, and what each of them owes and has missed: nobody waits for it until it has answered all it owes,
 * and has been given what it missed. Nothing grows with what is missed.
 */
export class LateMembers {
  readonly #late = new Map<Member, Late>();

  has(member: Member): boolean {
    return this.#late.has(member);
  }

  /** It is late with this. */
  add(member: Member, sequence: number, onLateAnswer: OnLateAnswer | undefined): void {
    const late = this.#late.get(member) ?? { owed: new Map(), missedSlots: new Set(), missedTasks: false };
    late.owed.set(sequence, onLateAnswer);
    this.#late.set(member, late);
  }

  /** @returns whether it is late: then it is not sent this value now, but the newest one later */
  missesSlot(member: Member, name: string): boolean {
    return this.#late.get(member)?.missedSlots.add(name) !== undefined;
  }

  /** @returns whether it is late: then it is not sent this task */
  missesTask(member: Member): boolean {
    const late = this.#late.get(member);
    if (late !== undefined) late.missedTasks = true;
    return late !== undefined;
  }

  /** To be told of each answer that nobody waits for. @returns whether it was the last that this member owed */
  onAnswer(member: Member, answer: Answer): boolean {
    const owed = this.#late.get(member)?.owed;
    const onLateAnswer = owed?.get(answer.sequence);
    if (owed?.delete(answer.sequence) !== true) return false;
    onLateAnswer?.(answer);
    return owed.size === 0;
  }

  /** It is late with nothing any more, but does not know of some tasks. */
  isBehind(member: Member): boolean {
    const late = this.#late.get(member);
    return late?.owed.size === 0 && late.missedTasks;
  }

  /** It is not late any more, or has ended. @returns the slots that it has missed something of */
  delete(member: Member): Iterable<string> {
    const missed = this.#late.get(member)?.missedSlots ?? [];
    this.#late.delete(member);
    return missed;
  }
}
