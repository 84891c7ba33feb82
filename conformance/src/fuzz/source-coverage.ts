import { readFileSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

const NEVER = 0;
const RUN = 1;

/** Which characters of one source were run. Types and comments are blank in what V8 sees, with all offsets kept. */
export class SourceCoverage {
  readonly #code: string;
  readonly #painted: Uint8Array;
  /** What functions have reported so far: the same again cannot be new. */
  readonly #known = new Set<string>();

  constructor(url: string) {
    const source = readFileSync(fileURLToPath(url), "utf8");
    this.#code = stripTypeScriptTypes(source).replaceAll(/\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/.*$/gm, (comment) =>
      comment.replaceAll(/\S/g, " "),
    );
    this.#painted = new Uint8Array(this.#code.length);
  }

  /** @returns whether anything ran that never had before; it is remembered only with `commit` */
  isNew(functions: readonly Profiler.FunctionCoverage[], commit: boolean): boolean {
    const ranges = functions.flatMap((each) => each.ranges);
    const key = ranges
      .map(({ startOffset, endOffset, count }) => `${startOffset}-${endOffset}-${count > 0 ? 1 : 0}`)
      .join();
    if (this.#known.has(key)) return false;
    const fresh = this.#paint(ranges, commit);
    if (commit || !fresh) this.#known.add(key);
    return fresh;
  }

  #paint(ranges: readonly Profiler.CoverageRange[], commit: boolean): boolean {
    const run = new Uint8Array(this.#code.length);
    // Inner ranges count for themselves: functions within functions, blocks within both.
    const outerFirst = ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
    for (const { startOffset, endOffset, count } of outerFirst)
      run.fill(count > 0 ? RUN : NEVER, startOffset, endOffset);
    let fresh = false;
    for (let at = 0; at < run.length; at++) {
      if (run[at] !== RUN || this.#painted[at] === RUN || this.#code.charCodeAt(at) <= 32) continue;
      fresh = true;
      if (!commit) return true;
      this.#painted[at] = RUN;
    }
    return fresh;
  }

  /** Characters of code that were run, and all of them. */
  get counts(): { readonly run: number; readonly all: number } {
    let run = 0;
    let all = 0;
    for (let i = 0; i < this.#code.length; i++) {
      if (this.#code.charCodeAt(i) <= 32) continue;
      all++;
      if (this.#painted[i] === RUN) run++;
    }
    return { run, all };
  }

  /** The lines of which nothing ran, for whoever wants to know what is missing. */
  missedLines(): number[] {
    const missed: number[] = [];
    let at = 0;
    for (const [i, line] of this.#code.split("\n").entries()) {
      const first = at + line.search(/\S/);
      if (first >= at && /[a-z]/i.test(line) && this.#painted[first] !== RUN) missed.push(i + 1);
      at += line.length + 1;
    }
    return missed;
  }
}
