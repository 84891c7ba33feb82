import type { ConfigPushed } from "@fairlead/fairlead-api";
import type { ConvergenceReport } from "@fairlead/registration";

type Rejected = ConvergenceReport["rejected"];

interface Compile {
  readonly revision: number;
  /** The newest revision that this compile did not cover. */
  readonly previous: number;
  readonly rejected: Rejected;
}

const maxCompiles = 1000;
const maxRejectedOfOne = 100;
const maxMessageLength = 1000;

const identityOf = ({ kind, key, code, message }: Omit<Rejected[number], "already">) =>
  JSON.stringify([kind, key, code, message]);

/** What the compilers announced: up to where, and what could not be compiled in the last 1000 compiles. */
export class CompiledRevisions {
  /** In order of revision. */
  #compiles: Compile[] = [];

  /** The newest compiled revision; 0 when none was announced. */
  get newest(): number {
    return this.#compiles.at(-1)?.revision ?? 0;
  }

  /** A message that comes again, or late, changes nothing that it should not: the first compile of a revision counts. */
  add(message: ConfigPushed): void {
    const revision = Number(message.revision);
    const after = this.#compiles.findLastIndex((compile) => compile.revision <= revision);
    if (this.#compiles[after]?.revision === revision) return;
    const previous = Number(message.previousRevision);
    const before = this.#namedBefore(after, previous);
    const rejected = message.rejected.slice(0, maxRejectedOfOne).map(({ object, code, message: reason }) => {
      const named = {
        kind: object?.kind ?? "",
        key: object?.key ?? "",
        file: object?.file ?? "",
        line: object?.line ?? 0,
        code,
        message: reason.slice(0, maxMessageLength),
      };
      return { ...named, already: before.has(identityOf(named)) };
    });
    this.#compiles.splice(after + 1, 0, { revision, previous, rejected });
    if (this.#compiles.length > maxCompiles) this.#compiles.shift();
  }

  /**
   * What is known to have been rejected before a compile. A compiler names an object that its revision did not change only when that was
   * not rejected before; so the last compile decides. One that has just begun (`previous` is 0) names all that is rejected: then whatever
   * was named before counts.
   */
  #namedBefore(last: number, previous: number): ReadonlySet<string> {
    const earlier =
      previous === 0 ? this.#compiles.slice(0, last + 1) : this.#compiles.slice(Math.max(0, last), last + 1);
    return new Set(earlier.flatMap(({ rejected }) => rejected.map(identityOf)));
  }

  /** What the compile that first covered a revision rejected; nothing when that is not known any more. */
  rejectedBy(revision: number): Rejected {
    const first = this.#compiles.find((compile) => compile.revision >= revision);
    return first !== undefined && first.previous < revision ? first.rejected : [];
  }
}
