/** In which place of its list an object is; a list alone sets it. */
export interface Member {
  /** -1 = in no list */
  place: number;
}

/**
 * A set of what comes and goes with each request, in no order; an object may be in one such list.
 *
 * V8's `Set` keeps what it outgrew pointing at what took its place. Once one of them is old, all that follow are taken for alive until a
 * full collection, with all that they ever held: hundreds of bytes a request that the young generation cannot free.
 */
export class MemberList<Value extends Member> {
  #members: Value[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Value): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** @returns whether it was there */
  delete(member: Value): boolean {
    const { place } = member;
    if (this.#members[place] !== member) return false;
    const last = this.#members.pop()!;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
    return true;
  }

  /** A copy: they may be deleted meanwhile. */
  all(): readonly Value[] {
    return [...this.#members];
  }

  /** All of them; the list is empty then. */
  takeAll(): readonly Value[] {
    const members = this.#members;
    this.#members = [];
    for (const member of members) member.place = -1;
    return members;
  }
}
