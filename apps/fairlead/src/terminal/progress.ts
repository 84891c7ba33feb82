import { renderTimeSpan } from "./time-span.ts";
import type { Style } from "./style.ts";

export interface ProgressOutput {
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * What is being done, a line a step with the time that it took. On a terminal the steps that run are on the last line,
 * which is written over.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #running: string[] = [];

  constructor(output: ProgressOutput, style: Style, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#style = style;
    this.#now = now;
  }

  /** @param detail is told what came of it, e.g. an address */
  async step<T>(name: string, work: () => Promise<T>, detail: (result: T) => string = () => ""): Promise<T> {
    const began = this.#now();
    this.#running.push(name);
    this.#drawRunning();
    const finish = (mark: string, text: string) => {
      this.#running.splice(this.#running.indexOf(name), 1);
      const time = this.#style("dim", renderTimeSpan(this.#now() - began));
      this.line(`  ${mark} ${name.padEnd(28)} ${text}${text === "" ? "" : "  "}${time}`);
    };
    try {
      const result = await work();
      finish(this.#style("green", "✓"), detail(result));
      return result;
    } catch (error) {
      finish(this.#style("red", "✗"), "");
      throw error;
    }
  }

  /** Writes a line above those that run. */
  line(text: string): void {
    this.#clear();
    this.#output.write(`${text}\n`);
    this.#drawRunning();
  }

  /** Writes a line that the next one takes the place of; nothing where lines cannot be written over. */
  transient(text: string): void {
    if (this.#output.isTTY !== true) return;
    this.#clear();
    // What goes on in the next row could not be written over.
    this.#output.write(text.slice(0, (this.#output.columns ?? Infinity) - 1));
  }

  #clear(): void {
    if (this.#output.isTTY === true) this.#output.write("\r\u001B[K");
  }

  #drawRunning(): void {
    if (this.#running.length > 0) this.transient(`  … ${this.#running.join(", ")}`);
  }
}
