import type { Member } from "./member.ts";
import type { Answer } from "./messages.ts";

type OnLateAnswer = (answer: Answer) => void;

/** Who has not answered in time, and what each of them owes: nobody waits for it until it has answered all of that. */
export class LateMembers {
  readonly #owed = new Map<Member, Map<number, OnLateAnswer | undefined>>();

  has(member: Member): boolean {
    return this.#owed.has(member);
  }

  /** It is late with this. */
  add(member: Member, sequence: number, onLateAnswer: OnLateAnswer | undefined): void {
    const owed = this.#owed.get(member) ?? new Map();
    this.#owed.set(member, owed.set(sequence, onLateAnswer));
  }

  /** To be told of each answer that nobody waits for. */
  onAnswer(member: Member, answer: Answer): void {
    const owed = this.#owed.get(member);
    const onLateAnswer = owed?.get(answer.sequence);
    if (owed?.delete(answer.sequence) !== true) return;
    if (owed.size === 0) this.#owed.delete(member);
    onLateAnswer?.(answer);
  }

  /** It has ended. */
  delete(member: Member): void {
    this.#owed.delete(member);
  }
}
