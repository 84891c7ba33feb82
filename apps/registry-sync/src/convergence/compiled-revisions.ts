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
    const rejected = message.rejected.slice(0, maxRejectedOfOne).map(({ object, code, message: reason }) => ({
      kind: object?.kind ?? "",
      key: object?.key ?? "",
      file: object?.file ?? "",
      line: object?.line ?? 0,
      code,
      message: reason.slice(0, maxMessageLength),
    }));
    this.#compiles.splice(after + 1, 0, { revision, previous: Number(message.previousRevision), rejected });
    if (this.#compiles.length > maxCompiles) this.#compiles.shift();
  }

  /** What the compile that first covered a revision rejected; nothing when that is not known any more. */
  rejectedBy(revision: number): Rejected {
    const first = this.#compiles.find((compile) => compile.revision >= revision);
    return first !== undefined && first.previous < revision ? first.rejected : [];
  }
}
