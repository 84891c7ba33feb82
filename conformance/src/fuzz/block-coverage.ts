import { type Profiler, Session } from "node:inspector";
import { SourceCoverage } from "./source-coverage.ts";

/** What runs between two looks, by V8's own counters in this process. Begin before the sources are loaded. */
export class BlockCoverage implements Disposable {
  readonly #session = new Session();
  #sources: readonly string[] = [];
  readonly #scripts = new Map<string, SourceCoverage>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** @param sources folders and files from the repository's root: what else runs does not count */
  watch(sources: readonly string[]): void {
    this.#sources = sources;
    this.look(true);
  }

  /**
   * Looks at what has run since the last look.
   *
   * @param commit remembers it
   * @returns whether any of it never ran before
   */
  look(commit: boolean): boolean {
    let found = false;
    for (const { url, functions } of this.#take()) {
      if (
        !this.#sources.some((source) => url.includes(`/${source}`)) ||
        url.includes(".test.") ||
        url.includes("/testing/")
      )
        continue;
      let script = this.#scripts.get(url);
      if (script === undefined) this.#scripts.set(url, (script = new SourceCoverage(url)));
      if (script.isNew(functions, commit)) found = true;
    }
    return found;
  }

  /** Percent of the sources' code. */
  get percent(): number {
    let run = 0;
    let all = 0;
    for (const script of this.#scripts.values()) {
      run += script.counts.run;
      all += script.counts.all;
    }
    return all === 0 ? 0 : (100 * run) / all;
  }

  *missed(): Generator<string> {
    for (const [url, script] of this.#scripts) {
      const lines = script.missedLines();
      if (lines.length > 0) yield `${url.slice(url.indexOf("/libs/") + 1)}: ${lines.join(" ")}`;
    }
  }

  #take(): Profiler.ScriptCoverage[] {
    let taken: Profiler.ScriptCoverage[] = [];
    // In the same process the answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, answer) => {
      if (error !== null) throw error;
      taken = answer.result;
    });
    return taken;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}
