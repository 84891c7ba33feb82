import { relative } from "node:path";
import { inspect } from "node:util";

/** The part of node:test's events that is counted and shown. */
export interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly file?: string;
    readonly nesting?: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly message?: string;
    readonly details?: {
      readonly type?: string;
      readonly duration_ms?: number;
      readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown };
    };
  };
}

interface Failure {
  readonly where: string;
  readonly what: string;
}

const slowTestMs = 5000;

/** Counts tests as they end, prints failures and what a file wrote to its standard error, and sums up. */
export class TestTally {
  readonly #print: (line: string) => void;
  readonly #failures: Failure[] = [];
  readonly #seenFiles = new Set<string>();
  readonly #diagnostics = new Map<string, string>();
  #passed = 0;
  readonly #started = Date.now();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  staticCheck(name: string, ok: boolean, durationMs: number, output: string): void {
    if (ok) this.#passed += 1;
    else this.#fail(name, output);
    this.#print(`${ok ? "ok  " : "FAIL"} ${name} (${durationMs} ms)`);
  }

  event(event: TestEvent): void {
    const { type, data } = event;
    const file = data.file === undefined ? "" : relative(process.cwd(), data.file);
    if (type === "test:stderr" && data.message !== undefined) {
      this.#diagnostics.set(file, `${this.#diagnostics.get(file) ?? ""}${data.message}`.slice(-4000));
      return;
    }
    if (type !== "test:pass" && type !== "test:fail") return;
    const error = data.details?.error;
    // A suite or a file fails with its tests; these are counted already.
    if (error?.failureType === "subtestsFailed") return;
    if (data.details?.type === "suite" && type === "test:pass") return;
    if (file !== "" && !this.#seenFiles.has(file)) {
      this.#seenFiles.add(file);
      this.#print(`     ${file}`);
    }
    const durationMs = Math.round(data.details?.duration_ms ?? 0);
    if (data.skip !== undefined && data.skip !== false) {
      this.#fail(`${file}: ${data.name}`, `skipped (${String(data.skip)}): a test that cannot run counts as failed`);
    } else if (data.todo !== undefined && data.todo !== false) {
      this.#fail(`${file}: ${data.name}`, "marked as todo");
    } else if (type === "test:fail") {
      const cause = error?.cause ?? error;
      this.#fail(`${file}: ${data.name}`, cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause));
      this.#print(`FAIL ${data.name} (${durationMs} ms)`);
    } else {
      this.#passed += 1;
      if (durationMs > slowTestMs) this.#print(`slow ${data.name} (${durationMs} ms)`);
    }
  }

  /** @returns whether all passed; the last line printed is `N passed, N failed` */
  finish(): boolean {
    for (const { where, what } of this.#failures) this.#print(`\nFAILED ${where}\n${what}`);
    const failedFiles = new Set(this.#failures.map(({ where }) => where.split(":")[0]!));
    for (const [file, text] of this.#diagnostics) {
      if (failedFiles.has(file)) this.#print(`\nstandard error of ${file} (its end)\n${text}`);
    }
    this.#print(`\n${Math.round((Date.now() - this.#started) / 1000)} s`);
    this.#print(`${this.#passed} passed, ${this.#failures.length} failed`);
    return this.#failures.length === 0 && this.#passed > 0;
  }

  #fail(where: string, what: string): void {
    this.#failures.push({ where, what });
  }
}
