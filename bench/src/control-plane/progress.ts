/** What is being done, on stderr: one line that is written over on a terminal, the steps only elsewhere. */
export class Progress {
  readonly #terminal = process.stderr.isTTY;
  readonly #silent: boolean;
  readonly #began = performance.now();
  #step = "";

  constructor({ silent = false }: { readonly silent?: boolean } = {}) {
    this.#silent = silent;
  }

  step(what: string): void {
    this.#step = what;
    this.#write(what);
  }

  detail(what: string): void {
    if (this.#terminal) this.#write(`${this.#step}: ${what}`);
  }

  done(): void {
    if (this.#terminal) process.stderr.write("\r\x1b[K");
  }

  #write(text: string): void {
    if (this.#silent) return;
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    process.stderr.write(this.#terminal ? `\r\x1b[K${seconds} s  ${text}` : `${seconds} s  ${text}\n`);
  }
}
