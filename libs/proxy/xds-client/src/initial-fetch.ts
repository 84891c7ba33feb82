/** Stands for all resources of a type that is subscribed to as a whole. */
const everything: readonly string[] = ["*"];

interface Wait {
  readonly wanted: Set<string>;
  readonly missing: Set<string>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * What was asked for and has never come. A proxy waits for it for a limited time before it goes on without;
 * as in Envoy only the timer ends the wait, a lost stream does not.
 */
export class InitialFetch {
  readonly #timeoutMs: number;
  readonly #expired: (typeUrl: string, missing: readonly string[]) => void;
  readonly #waits = new Map<string, Wait>();

  constructor(timeoutMs: number, expired: (typeUrl: string, missing: readonly string[]) => void) {
    this.#timeoutMs = timeoutMs;
    this.#expired = expired;
  }

  /**
   * Notes what is wanted now; names that were not wanted before start the wait anew.
   * @param names undefined = everything
   */
  want(typeUrl: string, names: readonly string[] = everything): void {
    const wait = this.#waits.get(typeUrl) ?? { wanted: new Set(), missing: new Set(), timer: undefined };
    this.#waits.set(typeUrl, wait);
    const now = new Set(names);
    for (const name of wait.wanted) {
      if (now.has(name)) continue;
      wait.wanted.delete(name);
      wait.missing.delete(name);
    }
    let grew = false;
    for (const name of now) {
      if (wait.wanted.has(name)) continue;
      wait.wanted.add(name);
      wait.missing.add(name);
      grew = true;
    }
    if (grew) this.#restart(typeUrl, wait);
    else if (wait.missing.size === 0) clearTimeout(wait.timer);
  }

  /** A response with these names came, whether or not it could be applied. */
  came(typeUrl: string, names: readonly string[]): void {
    const wait = this.#waits.get(typeUrl);
    if (wait === undefined) return;
    for (const name of [...names, ...everything]) wait.missing.delete(name);
    if (wait.missing.size === 0) clearTimeout(wait.timer);
  }

  isWaitingFor(typeUrl: string): boolean {
    return (this.#waits.get(typeUrl)?.missing.size ?? 0) > 0;
  }

  close(): void {
    for (const { timer } of this.#waits.values()) clearTimeout(timer);
  }

  #restart(typeUrl: string, wait: Wait): void {
    clearTimeout(wait.timer);
    wait.timer = setTimeout(() => {
      const missing = [...wait.missing];
      wait.missing.clear();
      this.#expired(typeUrl, missing);
    }, this.#timeoutMs);
  }
}
