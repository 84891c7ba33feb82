/** Prints each check as it is made, and counts. */
export class Checks {
  #passed = 0;
  #failed = 0;

  /** @returns whether it passed; a failure does not end the run */
  async check(name: string, work: () => void | Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#passed++;
      process.stdout.write(`ok      ${name}\n`);
      return true;
    } catch (error) {
      this.#failed++;
      const reason = error instanceof Error ? error.message : String(error);
      process.stdout.write(`FAILED  ${name}\n        ${reason.replaceAll("\n", "\n        ")}\n`);
      return false;
    }
  }

  /** Prints `N passed, N failed`. @returns the exit code */
  finish(): 0 | 1 {
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 ? 0 : 1;
  }
}
